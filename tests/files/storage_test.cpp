// Writing that leaves all or nothing, manifests, locks, and what happens when the disk or another process gets in the
// way.
#include "attune/files/storage.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "attune/base/strings.h"
#include "attune/files/mapped_file.h"
#include "file_limit.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using namespace attune::files;
using attune::testing::TemporaryFolder;
using attune::testing::with_file_limit;

int entries(const std::string& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// Runs `action` in a child process and gives its exit status (128 + signal when one killed it).
template <typename Action>
int in_child(Action action) {
  const pid_t child = ::fork();
  if (child == 0) {
    action();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void stage(const std::string& path, const std::string& content) {
  StagedFolder staged(path);
  write_file_atomically(staged.path() + "/a", content);
  fs::create_directory(staged.path() + "/sub");
  write_file_atomically(staged.path() + "/sub/b", "b");
  staged.commit();
}

}  // namespace

TEST_CASE("SHA-256 is that of the standard", "[files][storage]") {
  const TemporaryFolder folder;
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(sha256_hex("abc") == abc);
  CHECK(attune::Sha256().update("a").update("").update("bc").hex() == abc);
  CHECK(sha256_file(folder.write("a", "abc")) == abc);
  const std::string large(3'000'001, 'x');
  CHECK(sha256_file(folder.write("b", large)) == sha256_hex(large));
  CHECK_RAISES(sha256_file(folder / "none"), storage, "No such file");
  CHECK_RAISES(sha256_file(folder.path(), attune::ErrorKind::data), data, "this is a folder");
  std::stop_source stopped;
  CHECK(sha256_file(folder / "a", attune::ErrorKind::data, stopped.get_token()) == abc);
  stopped.request_stop();
  CHECK(sha256_file(folder / "b", attune::ErrorKind::data, stopped.get_token()).empty());
}

TEST_CASE("files are written and copied whole", "[files][storage]") {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  write_file_atomically(folder / "a", "old");
  write_file_atomically(folder / "a", bytes);
  copy_file_atomically(folder / "a", folder / "b");
  CHECK(read_file(folder / "b") == bytes);
  CHECK(entries(folder.path()) == 2);
  CHECK_RAISES(read_file(folder / "none"), data, "none: cannot open it: No such file or directory; check the path");
  CHECK_RAISES(write_file_atomically(folder / "no/a", ""), storage, "cannot create it: No such file");
}

TEST_CASE("a write that fails leaves the old file and no litter", "[files][storage]") {
  const TemporaryFolder folder;
  const std::string large(100'000, 'x');
  write_file_atomically(folder / "a", "old");
  with_file_limit(1000, [&] {
    CHECK_RAISES(write_file_atomically(folder / "a", large), storage, "/a: cannot write 99000 bytes: File too large");
  });
  CHECK(read_file(folder / "a") == "old");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a staged folder appears whole with its manifest and replaces the old one", "[files][storage]") {
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoints/checkpoint-10";
  stage(path, "first");
  CHECK(manifest_defect(path) == "");
  stage(path + "/", "second");
  CHECK(read_file(path + "/a") == "second");
  CHECK(read_file(path + "/sub/b") == "b");
  CHECK(manifest_defect(path) == "");
  CHECK(entries(folder / "checkpoints") == 1);
}

TEST_CASE("a staged folder that is not committed leaves nothing", "[files][storage]") {
  const TemporaryFolder folder;
  stage(folder / "c", "old");
  {
    const StagedFolder staged(folder / "c");
    write_file_atomically(staged.path() + "/a", "new");
  }
  {
    StagedFolder staged(folder / "c");
    write_file_atomically(staged.path() + "/a", std::string(5000, 'x'));
    with_file_limit(50, [&] { CHECK_RAISES(staged.commit(), storage, "MANIFEST.json: cannot write"); });
  }
  CHECK(read_file(folder / "c/a") == "old");
  CHECK(manifest_defect(folder / "c") == "");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a manifest finds every damage", "[files][storage]") {
  const TemporaryFolder folder;
  const std::string path = folder / "c";
  CHECK(manifest_defect(path) == "MANIFEST.json is missing");
  stage(path, "content");
  const auto damaged = [&](const std::string& name, const std::string& content) {
    const std::string old = read_file(path + "/" + name);
    folder.write("c/" + name, content);
    const std::string defect = manifest_defect(path);
    folder.write("c/" + name, old);
    REQUIRE(manifest_defect(path) == "");
    return defect;
  };
  CHECK(damaged("a", "conTent").starts_with("a has SHA-256 "));
  CHECK(damaged("a", "conten") == "a has 6 bytes, expected 7");
  CHECK(damaged("sub/b", "") == "sub/b has 0 bytes, expected 1");
  const std::string manifest = read_file(path + "/MANIFEST.json");
  for (std::size_t length = 0; length + 1 < manifest.size(); ++length) {
    if (damaged("MANIFEST.json", manifest.substr(0, length)).empty()) FAIL("cut at " << length << " was not seen");
  }
  CHECK(damaged("MANIFEST.json", R"({"files":[{"name":"../x","size":1,"sha256":""}]})").find("outside") !=
        std::string::npos);
  CHECK(damaged("MANIFEST.json", R"({"files":[{"name":"a"}]})").find("without name, size and sha256") !=
        std::string::npos);
  fs::remove(path + "/a");
  CHECK(manifest_defect(path) == "a is missing");
}

TEST_CASE("a kill while folders are replaced leaves a whole one", "[files][storage][slow]") {
  const TemporaryFolder folder;
  const std::string path = folder / "c";
  stage(path, "0");
  for (int round = 0; round < 40; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int i = 0;; ++i) stage(path, std::string(1000, static_cast<char>('a' + i % 26)));
    }
    ::usleep(static_cast<useconds_t>(1000 + 700 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK(manifest_defect(path) == "");
    remove_stale_temporaries(folder.path());
    CHECK(entries(folder.path()) == 1);
  }
}

TEST_CASE("where others may write only litter of dead processes is removed", "[files][storage]") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  const std::string dead = std::to_string(child), alive = std::to_string(::getppid());
  folder.write(".tokens-a.bin.tmp-" + dead + "-0", "half");
  folder.write(".tokens-b.bin.tmp-99999999999999999999-0", "half");
  folder.write(".tokens-c.bin.tmp-" + alive + "-0", "being written");
  folder.write(".tokens-d.bin.tmp-" + std::to_string(::getpid()) + "-0", "being written");
  folder.write("tokens-e.bin", "whole");
  remove_dead_temporaries(folder.path());
  CHECK(entries(folder.path()) == 3);
  CHECK_FALSE(fs::exists(folder / (".tokens-a.bin.tmp-" + dead + "-0")));
  remove_dead_temporaries(folder / "nothing");
}

TEST_CASE("litter of other processes is removed and an old folder restored", "[files][storage]") {
  const TemporaryFolder folder;
  stage(folder / "c", "whole");
  fs::rename(folder / "c", folder / ".c.old-1-0");
  stage(folder / "d", "whole, replaced and about to be removed");
  fs::rename(folder / "d", folder / "..c.tmp-1-9.old-1-10");
  folder.write(".c.tmp-1-7/a", "half");
  folder.write(".model.safetensors.tmp-1-3", "half");
  folder.write(".hidden", "the user's");
  folder.write("x.tmp-1-3", "the user's");
  remove_stale_temporaries(folder.path());
  CHECK(manifest_defect(folder / "c") == "");
  CHECK(entries(folder.path()) == 3);
  remove_folder(folder / "c");
  remove_folder(folder / "c");
  CHECK(entries(folder.path()) == 2);
}

TEST_CASE("one process at a time holds a folder", "[files][storage]") {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    CHECK_RAISES(FolderLock(folder.path()), locked,
                 attune::concat("the folder is in use by process ", ::getpid(), " on "));
    CHECK(in_child([&] {
            try {
              const FolderLock other(folder.path());
            } catch (const attune::Error& error) {
              ::_exit(static_cast<int>(error.kind()));
            }
          }) == 7);
  }
  CHECK(entries(folder.path()) == 0);
  CHECK_NOTHROW(FolderLock(folder.path()));
}

TEST_CASE("whether a folder is locked is asked without touching it", "[files][storage]") {
  const TemporaryFolder folder;
  CHECK_NOTHROW(refuse_locked_folder(folder.path()));
  CHECK(entries(folder.path()) == 0);
  {
    const FolderLock lock(folder.path());
    CHECK_RAISES(refuse_locked_folder(folder.path()), locked, "the folder is in use by process ");
  }
  folder.write(".lock", "process 1 on nowhere\n");  // of a process that died
  CHECK_NOTHROW(refuse_locked_folder(folder.path()));
}

TEST_CASE("the lock of a process that died is taken over", "[files][storage]") {
  const TemporaryFolder folder;
  in_child([&] {
    const FolderLock lock(folder.path());
    ::kill(::getpid(), SIGKILL);
  });
  REQUIRE(fs::exists(folder / ".lock"));
  CHECK_NOTHROW(FolderLock(folder.path()));
}

TEST_CASE("exactly one of many processes gets the lock", "[files][storage]") {
  const TemporaryFolder folder;
  for (int round = 0; round < 20; ++round) {
    int hold[2], results[2];
    REQUIRE(::pipe(hold) == 0);
    REQUIRE(::pipe(results) == 0);
    for (int i = 0; i < 8; ++i) {
      if (::fork() != 0) continue;
      ::close(hold[1]);
      char result = 0, none = 0;
      try {
        const FolderLock lock(folder.path());
        [[maybe_unused]] const ssize_t told = ::write(results[1], &result, 1);
        [[maybe_unused]] const ssize_t ended = ::read(hold[0], &none, 1);  // holds it until the parent closes the pipe
      } catch (const attune::Error& error) {
        result = static_cast<char>(error.kind());
        [[maybe_unused]] const ssize_t told = ::write(results[1], &result, 1);
      }
      ::_exit(0);
    }
    int won = 0, lost = 0;
    for (int i = 0; i < 8; ++i) {
      char result = -1;
      REQUIRE(::read(results[0], &result, 1) == 1);
      won += result == 0;
      lost += result == static_cast<char>(attune::ErrorKind::locked);
    }
    ::close(hold[1]);
    for (int i = 0; i < 8; ++i) ::wait(nullptr);
    for (const int end : {hold[0], results[0], results[1]}) ::close(end);
    CHECK(won == 1);
    CHECK(lost == 7);
  }
}

TEST_CASE("two processes never hold a lock that changes hands quickly", "[files][storage]") {
  const TemporaryFolder folder, inside;
  const std::string busy = inside / "busy";
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    for (int round = 0; round < 3000; ++round) {
      try {
        const FolderLock lock(folder.path());
        const int descriptor = ::open(busy.c_str(), O_CREAT | O_EXCL, 0666);
        if (descriptor < 0) ::_exit(1);
        ::close(descriptor);
        ::unlink(busy.c_str());
      } catch (const attune::Error&) {  // held by another one: try again
      }
    }
    ::_exit(0);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
}

TEST_CASE("a mapped file that is cut ends the program with a message", "[files][storage]") {
  const TemporaryFolder folder;
  const std::string path = folder.write("model.safetensors", std::string(100'000, 'x'));
  const std::string log = folder / "log";
  const int status = in_child([&] {
    ::dup2(::open(log.c_str(), O_WRONLY | O_CREAT, 0666), STDERR_FILENO);
    const auto file = MappedFile::open(path);
    fs::resize_file(path, 10);
    ::_exit(static_cast<int>(file->bytes()[50'000]));
  });
  CHECK(status == 3);
  CHECK(read_file(log).find("model.safetensors: the file changed during reading") != std::string::npos);
}

TEST_CASE("files that cannot be mapped are named", "[files][storage]") {
  const TemporaryFolder folder;
  CHECK(MappedFile::open(folder.write("empty", ""))->bytes().empty());
  CHECK_RAISES(MappedFile::open(folder.path()), model, "this is a folder, not a regular file");
  CHECK_RAISES(MappedFile::open("/dev/null"), model, "not a regular file");
}
