// Output folders that a run may not use, and checkpoints that it may not go on from: refused before a byte is written.
#include <ATen/Context.h>
#include <fcntl.h>
#include <sys/file.h>

#include <thread>

#include "app/bad_input.h"
#include "attune/files/storage.h"

namespace {

using namespace attune::testing;
using Json = nlohmann::ordered_json;

/// A finished run with checkpoints in out/.
void finish_run(const Workspace& workspace, const std::string& training = "", const std::string& top = "") {
  write_tiny_job(workspace, training, top);
  const Finished finished = run_attune(workspace, "train run.json --quiet");
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
}

std::string newest_checkpoint(const Workspace& workspace) {
  std::string newest;
  for (const auto& entry : fs::directory_iterator(workspace.path("out/checkpoints"))) newest = std::max(newest, entry.path().filename().string());
  return "out/checkpoints/" + newest;
}

void change_rows(const Workspace& workspace) { replace(workspace, "train.jsonl", "lost", "last"); }

/// As a run that is going on in another process would hold it.
class HeldLock {
 public:
  explicit HeldLock(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    REQUIRE(::flock(file_, LOCK_EX | LOCK_NB) == 0);
    REQUIRE(::write(file_, "process 4 on desk\n", 18) == 18);
  }
  ~HeldLock() { ::close(file_); }
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;

 private:
  int file_;
};

}  // namespace

TEST_CASE("an output folder that is not the run's own is left alone", "[app][shell][bad]") {
  const auto with_file = [](const Workspace& w) { w.write("out/precious.txt", "mine"); };
  const std::string overwrite = " --set overwrite_output_dir=true";
  check_bad_inputs({
      {"not empty", kUsage, "out", {"the output folder is not empty", "--resume"}, with_file},
      {"not empty, dry run", kUsage, "out", {"the output folder is not empty"}, with_file, "train run.json --quiet --dry-run"},
      {"overwriting what is no run", kUsage, "out", {"not the folder of an attune run"}, with_file, "train run.json --quiet" + overwrite},
      {"a file", kUsage, "out", {"this is a file"}, [](const Workspace& w) { w.write("out", "mine"); }},
      {"a device", kUsage, "/dev/null", {"this is a file"}, [](const Workspace&) {}, "train run.json --quiet --set output_dir=/dev/null"},
      {"below a file", kStorage, "run.json/out", {"Not a directory"}, [](const Workspace&) {}, "train run.json --quiet --set output_dir=run.json/out"},
      {"links in a circle", kStorage, "out", {"Too many levels of symbolic links"}, [](const Workspace& w) { fs::create_symlink("out", w.path("out")); }},
      {"a link that leads nowhere", kStorage, "out", {"could not be created"}, [](const Workspace& w) { fs::create_symlink("gone", w.path("out")); }},
      {"a name too long", kStorage, std::string(300, 'o'), {"File name too long"}, [](const Workspace&) {}, "train run.json --quiet --set output_dir=" + std::string(300, 'o')},
      {"the model's own folder", kUsage, "run.json", {"'model' is the folder of the model", "output_dir"},
       [](const Workspace& w) {
         use_own_model(w);
         replace(w, "run.json", "\"output_dir\":\"out\"", "\"output_dir\":\"model\"");
       }},
      {"a file system without room for folders", kStorage, "/proc/attune", {"could not be created"}, [](const Workspace&) {}, "train run.json --quiet --set output_dir=/proc/attune"},
  });
}

TEST_CASE("overwriting a run never removes what it did not write", "[app][shell][bad]") {
  const Workspace workspace;
  finish_run(workspace);
  const std::string overwrite = "train run.json --quiet --set overwrite_output_dir=true";
  CHECK(run_attune(workspace, overwrite).exit_code == 0);
  workspace.write("out/thesis/notes.txt", "mine");
  const Finished refused = run_attune(workspace, overwrite);
  INFO(refused.err);
  CHECK(refused.exit_code == kUsage);
  CHECK(refused.err.find("also holds 'thesis'") != std::string::npos);
  CHECK(workspace.read("out/thesis/notes.txt") == "mine");
  CHECK(fs::exists(workspace.path("out/model.safetensors")));
}

TEST_CASE("a folder in use is refused whatever is asked for, and nothing in it is touched", "[app][shell][bad]") {
  const Workspace workspace;
  finish_run(workspace);
  const HeldLock held(workspace.path("out/.lock"));
  const auto before = snapshot(workspace.path("out"));
  for (const std::string arguments : {"", " --resume", " --set overwrite_output_dir=true"}) {
    const Finished refused = run_attune(workspace, "train run.json --quiet" + arguments);
    INFO(arguments << "\n" << refused.err);
    CHECK(refused.exit_code == kLocked);
    CHECK(refused.err.find("error: out: the folder is in use by process 4 on desk") != std::string::npos);
    CHECK(snapshot(workspace.path("out")) == before);
  }
}

TEST_CASE("of eight starts at once one runs and seven find the folder in use", "[app][shell][bad][slow]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("num_train_epochs": 30, "per_device_train_batch_size": 2)");
  const std::string one = "'" ATTUNE_PROGRAM "' train run.json --quiet >out.$i 2>err.$i; echo $? >rc.$i";
  const std::string all = "cd '" + workspace.path("") + "' && for i in 1 2 3 4 5 6 7 8; do (" + one + ") & done; wait";
  REQUIRE(std::system(all.c_str()) == 0);
  int won = 0, refused = 0;
  for (int i = 1; i <= 8; ++i) {
    const std::string code = workspace.read("rc." + std::to_string(i));
    INFO(workspace.read("err." + std::to_string(i)));
    won += code == "0\n";
    refused += code == "7\n";
  }
  CHECK(won == 1);
  CHECK(refused == 7);
  CHECK(fs::exists(workspace.path("out/report.html")));
}

TEST_CASE("a resumption that is refused changes nothing", "[app][shell][bad]") {
  const std::string resume = "train run.json --quiet --resume";
  const auto finished = [](const std::function<void(const Workspace&)>& then) {
    return [=](const Workspace& w) {
      finish_run(w);
      then(w);
    };
  };
  check_bad_inputs({
      {"another rate", kResumeRefused, "out/checkpoints/checkpoint-12", {"configuration.training.learning_rate: 0.01 → 0.5"}, finished([](const Workspace&) {}),
       resume + " --set training.learning_rate=0.5"},
      {"another rate, dry run", kResumeRefused, "out/checkpoints/checkpoint-12", {"learning_rate"}, finished([](const Workspace&) {}),
       resume + " --dry-run --set training.learning_rate=0.5"},
      {"other rows", kResumeRefused, "out/checkpoints/checkpoint-12", {"data.train.jsonl"}, finished(change_rows), resume},
      {"other threads", kResumeRefused, "out/checkpoints/checkpoint-12", {"environment.threads: 1 → 2"}, finished([](const Workspace&) {}), resume + " --set threads=2"},
      {"no such checkpoint", kUsage, "nope", {"no such checkpoint folder"}, [](const Workspace&) {}, resume + " nope"},
      {"a folder that is none", kResumeRefused, "out", {"MANIFEST.json is missing"}, finished([](const Workspace&) {}), resume + " out"},
      {"a damaged checkpoint by name", kResumeRefused, "out/checkpoints/checkpoint-12", {"damaged checkpoint", "optimizer.safetensors has SHA-256"},
       finished([](const Workspace& w) {
         std::string moments = w.read("out/checkpoints/checkpoint-12/optimizer.safetensors");
         moments.back() = static_cast<char>(moments.back() ^ 1);
         w.write("out/checkpoints/checkpoint-12/optimizer.safetensors", moments);
       }),
       resume + " out/checkpoints/checkpoint-12"},
      {"a finished fold of another job", kResumeRefused, "out/cv/fold-1/fold_result.json", {"learning_rate"},
       [](const Workspace& w) { finish_run(w, "", R"("cross_validation": {"folds": 2, "refit": false})"); }, resume + " --set training.learning_rate=0.5"},
  });
}

TEST_CASE("a damaged checkpoint is passed over, and one of several folds cannot be meant", "[app][shell][bad]") {
  const Workspace workspace;
  finish_run(workspace);
  const std::string expected = attune::files::sha256_file(workspace.path("out/model.safetensors"));
  const std::string state = newest_checkpoint(workspace) + "/trainer_state.json";
  workspace.write(state, workspace.read(state) + " ");
  const Finished resumed = run_attune(workspace, "train run.json --quiet --resume");
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
  CHECK(resumed.err.find("damaged checkpoint passed over") != std::string::npos);
  CHECK(attune::files::sha256_file(workspace.path("out/model.safetensors")) == expected);
}

TEST_CASE("a resumption without a checkpoint says that the run begins anew", "[app][shell][bad]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("max_steps": 2)");
  const std::string warning = "warning: out: there is no checkpoint to resume from; the run begins at step 0";
  const Finished begun = run_attune(workspace, "train run.json --quiet --resume");
  CHECK(begun.exit_code == 0);
  CHECK(begun.err.find(warning) != std::string::npos);
  CHECK(run_attune(workspace, "train run.json --quiet --resume").err.find(warning) == std::string::npos);
  const Finished told = run_attune(workspace, "train run.json --resume --set output_dir=new");
  const std::size_t first = told.err.find("checkpoint to resume from");
  CHECK(first != std::string::npos);
  CHECK(told.err.find("checkpoint to resume from", first + 1) == std::string::npos);
}

TEST_CASE("a fold's result that is damaged is refused, and removing it heals the run", "[app][shell][bad]") {
  const Workspace workspace;
  finish_run(workspace, "", R"("cross_validation": {"folds": 2, "refit": false})");
  const std::string oof = workspace.read("out/cv/oof_predictions.jsonl");
  const std::string result = "out/cv/fold-2/fold_result.json";
  for (const std::string content : {"{", "[]", R"({"job": 3})"}) {
    workspace.write(result, content);
    const Finished refused = run_attune(workspace, "train run.json --quiet --resume");
    INFO(content << "\n" << refused.err);
    CHECK(refused.exit_code == kResumeRefused);
    CHECK(errors_of(refused.err).size() == 1);
    CHECK(refused.err.find("error: " + result + ": ") != std::string::npos);
  }
  fs::remove(workspace.path(result));
  CHECK(run_attune(workspace, "train run.json --quiet --resume").exit_code == 0);
  CHECK(workspace.read("out/cv/oof_predictions.jsonl") == oof);
}

#if !defined(__SANITIZE_ADDRESS__)  // AddressSanitizer takes terabytes of address space
TEST_CASE("memory that runs out is named with what was asked for", "[app][shell][bad]") {
  if (at::globalContext().hasCUDART()) {
    WARN("skipped: the libraries of CUDA alone take more address space than the test leaves");
    return;
  }
  const Workspace workspace;
  std::string lines;  // as many classes as rows in one batch: logits of 12,000 × 12,000
  for (int i = 0; i < 12'000; ++i) lines += "{\"text\": \"card\", \"label\": \"x" + std::to_string(i) + "\"}\n";
  workspace.write("train.jsonl", lines);
  workspace.write("run.json", tiny_config(R"("per_device_train_batch_size": 12000)", R"("data": {"train": "train.jsonl"})"));
  const Finished finished = run_attune(workspace, "train run.json --quiet", "ulimit -v 1000000; ");
  INFO(finished.err);
  CHECK(finished.exit_code == kMemory);
  REQUIRE(errors_of(finished.err).size() == 1);
  CHECK(errors_of(finished.err)[0].starts_with("error: out of memory: you tried to allocate "));
  CHECK(finished.err.find("lower training.per_device_train_batch_size") != std::string::npos);
}
#endif

TEST_CASE("a disk that is too small is told of before training", "[app][shell][bad]") {
  const Workspace workspace;
  write_tiny_job(workspace, R"("max_steps": 20, "save_strategy": "steps", "save_steps": 5)");
  std::filesystem::create_directory(workspace.path("out"));
  const auto on_disk_of = [&](const std::string& size, const std::string& arguments) {
    return run_attune(workspace, arguments, "unshare -rm sh -c 'mount -t tmpfs -o size=" + size + " none out && exec \"$@\"' sh");
  };
  if (std::system("unshare -rm mount -t tmpfs none /mnt 2>/dev/null") != 0) return;  // this process may not mount
  for (const char* arguments : {"train run.json --quiet", "train run.json --quiet --dry-run"}) {
    INFO(arguments);
    const Finished small = on_disk_of("16k", arguments);
    CHECK(small.exit_code == 6);
    CHECK(small.err.find("error: out: the trained model takes about ") != std::string::npos);
    const Finished tight = on_disk_of("96k", arguments);
    CHECK(tight.err.find("warning: out: the run writes up to ") != std::string::npos);
    CHECK(tight.err.find("checkpoints of ") != std::string::npos);
    const Finished large = on_disk_of("16m", arguments);
    INFO(large.err);
    CHECK(large.exit_code == 0);
    CHECK(large.err.find("are free") == std::string::npos);
    const Finished beside_rows = on_disk_of("16k", std::string(arguments) + " --set data.rows_in_memory_mib=0");
    INFO(beside_rows.err);
    CHECK(beside_rows.exit_code == 6);
    CHECK(beside_rows.err.find(" are free beside ") != std::string::npos);
    CHECK(beside_rows.err.find(" kB of training rows in a temporary file (output_dir); free some space, raise data.rows_in_memory_mib or ") != std::string::npos);
  }
}

TEST_CASE("a disk that is full is named, and the checkpoint before it stays whole", "[app][shell][bad]") {
  const Workspace workspace;
  write_tiny_job(workspace);
  // No file of the run may grow beyond this many blocks of 512 bytes; a write beyond it fails as on a full disk.
  const auto limited = [&](const char* blocks) { return run_attune(workspace, "train run.json --quiet", std::string("ulimit -f ") + blocks + "; "); };
  const Finished without_model = limited("40");
  CHECK(without_model.exit_code == kStorage);
  INFO(without_model.err);
  CHECK(without_model.err.find("warning: no checkpoint at step 6, training goes on: ") != std::string::npos);
  CHECK(without_model.err.find("error: out/model.safetensors: cannot ") != std::string::npos);
  CHECK(without_model.err.find("this is the file size limit (ulimit -f)") != std::string::npos);
  CHECK(without_model.out.empty());
  for (const char* file : {"model.safetensors", "config.json", "tokenizer.json"}) {
    INFO(file);
    CHECK_FALSE(fs::exists(workspace.path(std::string("out/") + file)));
  }
  for (const auto& [path, content] : snapshot(workspace.path("out"))) CHECK(path.find(".tmp-") == std::string::npos);
}

TEST_CASE("output beyond the file size limit ends with exit 6 and says so", "[app][shell][bad]") {
  const Workspace workspace;
  const Finished finished = run_attune(workspace, "config schema", "ulimit -f 1; ");
  CHECK(finished.exit_code == kStorage);
  CHECK(finished.err.find("error: <stdout>: cannot be written: ") != std::string::npos);
  CHECK(finished.err.find("this is the file size limit (ulimit -f)") != std::string::npos);
}
