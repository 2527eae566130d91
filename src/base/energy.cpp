// See energy.h.
#include "attune/base/energy.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "attune/base/strings.h"

namespace attune {

namespace {

namespace fs = std::filesystem;

constexpr double kMicrojoule = 1e-6;

/// A domain of its own ("intel-rapl:0"), not one inside another ("intel-rapl:0:1") or the same by another way
/// ("intel-rapl-mmio:0").
bool is_top_domain(const std::string& name) {
  const std::string prefix = "intel-rapl:";
  return name.starts_with(prefix) && name.size() > prefix.size() &&
         name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
}

std::string first_word(const fs::path& path) {
  std::string word;
  std::ifstream(path) >> word;
  return word;
}

std::optional<double> joules_in(const fs::path& path) {
  std::ifstream file(path);
  double microjoules = 0;
  return file >> microjoules ? std::optional(microjoules * kMicrojoule) : std::nullopt;
}

/// Why the number in the file cannot be read.
std::string refusal(const fs::path& path) {
  errno = 0;
  const std::ifstream file(path);
  const int error = file.is_open() ? 0 : errno;
  const std::string why = error == 0 ? "holds no number" : std::generic_category().message(error);
  return concat(path.string(), ": ", why, error == EACCES ? " (the kernel shows it to root only)" : "");
}

std::vector<fs::path> packages_in(const std::string& folder) {
  std::vector<fs::path> packages;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (is_top_domain(entry.path().filename().string()) && first_word(entry.path() / "name").starts_with("package")) {
      packages.push_back(entry.path());
    }
  }
  std::sort(packages.begin(), packages.end());
  return packages;
}

}  // namespace

EnergyCounters processor_energy(const std::string& folder) {
  EnergyCounters found;
  const std::vector<fs::path> packages = packages_in(folder);
  if (packages.empty()) found.missing = concat(folder, " shows no counter of a processor package");
  for (const fs::path& package : packages) {
    const fs::path file = package / "energy_uj";
    if (!joules_in(file)) return {.counters = {}, .missing = refusal(file)};
    found.counters.push_back({.name = first_word(package / "name"),
                              .read = [file] { return joules_in(file); },
                              .range = joules_in(package / "max_energy_range_uj").value_or(0)});
  }
  return found;
}

EnergyCounters operator+(EnergyCounters a, EnergyCounters b) {
  std::ranges::move(b.counters, std::back_inserter(a.counters));
  if (!a.missing.empty() && !b.missing.empty()) a.missing += "; ";
  a.missing += b.missing;
  return a;
}

EnergyMeter::EnergyMeter(std::vector<EnergyCounter> counters) : known_(!counters.empty()) {
  for (EnergyCounter& counter : counters) {
    const std::optional<double> begin = counter.read();
    known_ = known_ && begin;
    counted_.push_back({std::move(counter), begin.value_or(0)});
  }
}

std::optional<double> EnergyMeter::joules() {
  if (!known_) return std::nullopt;
  for (Counted& counted : counted_) {
    const std::optional<double> now = counted.counter.read();
    const bool wrapped = now && *now < counted.last;
    known_ = now && (!wrapped || counted.counter.range > 0);
    if (!known_) return std::nullopt;
    sum_ += *now - counted.last + (wrapped ? counted.counter.range : 0);
    counted.last = *now;
  }
  return sum_;
}

}  // namespace attune
