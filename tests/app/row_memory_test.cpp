// What a row of the data costs in memory, over a whole run of the built program.
#include "app/program.h"
#include "attune/base/strings.h"
#include "catch.h"

namespace {

using attune::concat;
using attune::testing::Workspace;

/// Rows of eight words out of few, all different.
std::string many_rows(int count) {
  const std::vector<std::string> words =
      attune::split("my card is lost where can i get help now the app does not want what again please", ' ');
  const char* labels[] = {"card", "refund", "address"};
  std::string lines;
  for (int i = 0; i < count; ++i) {
    std::string text;
    for (std::size_t place = 0, rest = static_cast<std::size_t>(i); place < 8; ++place, rest /= words.size()) {
      text += words[rest % words.size()] + " ";
    }
    lines += concat(R"({"text": ")", text, R"(", "label": ")", labels[i % 3], "\"}\n");
  }
  return lines;
}

/// The most memory beside mapped files that `attune <arguments>` has at one time, in bytes, looked at every
/// millisecond. The system keeps a mark of all pages only (VmHWM), and how many pages of the libraries are among them
/// depends on what else the machine keeps in memory: some 15 MB more or less, 200 bytes a row below.
double peak_of(const Workspace& workspace, const std::string& arguments) {
  const pid_t child = attune::testing::start_attune(workspace, arguments);
  const std::string file = concat("/proc/", child, "/statm");
  double most = 0;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    double size = 0, resident = 0, shared = 0;  // pages; what is shared is mapped
    if (std::ifstream(file) >> size >> resident >> shared) most = std::max(most, resident - shared);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  return most * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// By how much the peak of a short training grows with each of the rows between `few` and `many`. Both must be so many
/// that the peak is in reading and encoding: with few rows it is in training, which has memory of its own.
double bytes_a_row(int few, int many, int rows_in_memory_mib) {
  const Workspace workspace;
  write_tiny_job(workspace, R"("max_steps": 2, "save_strategy": "no")");
  const auto peak = [&](int rows) {
    workspace.write("train.jsonl", many_rows(rows));
    return peak_of(workspace, concat("train run.json --quiet --set data.rows_in_memory_mib=", rows_in_memory_mib,
                                     " --set output_dir=out-", rows));
  };
  const double least = peak(few);
  return (peak(many) - least) / (many - few);
}

}  // namespace

#if !defined(__SANITIZE_ADDRESS__)  // AddressSanitizer keeps what was freed
TEST_CASE("a row in memory costs little more than its text and its tokens", "[app][shell][memory]") {
  constexpr double kBytesARow = 750;  // 630 were measured, and 1850 before rows were kept with care
  const double bytes = bytes_a_row(45'000, 125'000, 1000);
  INFO(bytes << " bytes a row");
  CHECK(bytes < kBytesARow);
  CHECK(bytes > 100);  // the rows were there
}

TEST_CASE("rows beyond data.rows_in_memory_mib take next to no memory", "[app][shell][memory]") {
  constexpr double kBytesARow = 40;  // 16 were measured
  const double bytes = bytes_a_row(20'000, 220'000, 1);
  INFO(bytes << " bytes a row");
  CHECK(bytes < kBytesARow);
}
#endif
