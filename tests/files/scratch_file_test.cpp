// Files without a name: what is written is read back, nothing is left in the folder.
#include "attune/files/scratch_file.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "catch.h"
#include "file_limit.h"
#include "raises.h"
#include "small_disk.h"
#include "temporary_folder.h"

using namespace attune;
using testing::TemporaryFolder;

namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

std::string text_at(const files::ScratchFile& file, std::int64_t offset, std::size_t size) {
  std::string text(size, ' ');
  file.read(offset, {reinterpret_cast<std::byte*>(text.data()), size});
  return text;
}

}  // namespace

TEST_CASE("a scratch file gives back what was written, at any place", "[files]") {
  const TemporaryFolder folder;
  files::ScratchFile file(folder.path());
  CHECK(file.append(bytes_of("first")) == 0);
  CHECK(file.append(bytes_of("second")) == 5);
  CHECK(file.size() == 11);
  CHECK(text_at(file, 5, 6) == "second");
  CHECK(text_at(file, 2, 6) == "rstsec");
  CHECK_RAISES(text_at(file, 8, 4), storage, folder.path());
}

TEST_CASE("a scratch file has no name in its folder", "[files]") {
  const TemporaryFolder folder;
  files::ScratchFile file(folder.path());
  file.append(bytes_of("something"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a scratch file leaves room on the disk for others", "[files]") {
  const TemporaryFolder folder;
  files::ScratchFile file(folder.path());
  const auto free = static_cast<std::int64_t>(std::filesystem::space(folder.path()).available);
  CHECK(file.has_room(free / 4));
  CHECK_FALSE(file.has_room(free / 4 * 3));
}

TEST_CASE("scratch files that grow side by side leave as much room as the larger of them holds", "[files]") {
  const TemporaryFolder folder;
  const auto written = testing::on_small_disk(folder.path(), "24m", [&] {
    const std::vector<std::byte> megabyte(1 << 20);
    files::ScratchFile first(folder.path()), second(folder.path());
    for (bool goes_on = true; goes_on;) {
      goes_on = false;
      for (files::ScratchFile* file : {&first, &second}) {
        if (!file->has_room(static_cast<std::int64_t>(megabyte.size()))) continue;
        file->append(megabyte);
        goes_on = true;
      }
    }
    return static_cast<int>(std::min(first.size(), second.size()) >> 20);
  });
  if (written) CHECK(*written >= 7);
  if (written) CHECK(*written <= 8);
}

TEST_CASE("a scratch file that cannot be made or written is a storage error", "[files]") {
  const TemporaryFolder folder;
  CHECK_RAISES(files::ScratchFile(folder / "nothing"), storage, "temporary file");
  files::ScratchFile file(folder.path());
  file.append(bytes_of("kept"));
  testing::with_file_limit(4, [&] { CHECK_RAISES(file.append(bytes_of("too much")), storage, folder.path()); });
  CHECK(file.size() == 4);
  CHECK(text_at(file, 0, 4) == "kept");
}
