// Paths whose state can be told, and those where the system refuses.
#include "attune/base/paths.h"

#include "raises.h"
#include "temporary_folder.h"

using namespace attune;
using attune::testing::TemporaryFolder;

TEST_CASE("what is there, what is not, and what cannot be found out are three answers", "[base]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("file", "x");
  CHECK(path_exists(file, ErrorKind::data));
  CHECK_FALSE(is_folder(file, ErrorKind::data));
  CHECK(is_folder(folder.path(), ErrorKind::data));
  CHECK_FALSE(path_exists(folder / "none", ErrorKind::data));
  CHECK_FALSE(path_exists(file + "/below", ErrorKind::data));

  std::filesystem::create_symlink("none", folder / "dangling");
  CHECK_FALSE(path_exists(folder / "dangling", ErrorKind::data));
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK_RAISES(path_exists(folder / "loop", ErrorKind::model), model, "loop: cannot be looked at: Too many levels of symbolic links");
  CHECK_RAISES(is_folder(folder / "loop/x", ErrorKind::storage), storage, "Too many levels of symbolic links");
  CHECK_RAISES(path_exists(folder / std::string(300, 'n'), ErrorKind::usage), usage, "File name too long");
}
