// Counters of energy, from a made-up powercap folder.
#include "attune/base/energy.h"

#include <unistd.h>

#include <filesystem>

#include "attune/base/memory.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;
using testing::TemporaryFolder;

namespace {

void write_domain(const TemporaryFolder& folder, const std::string& domain, const std::string& name, const std::string& microjoules) {
  folder.write(domain + "/name", name + "\n");
  folder.write(domain + "/energy_uj", microjoules + "\n");
  folder.write(domain + "/max_energy_range_uj", "262143328850\n");
}

}  // namespace

TEST_CASE("the energy of processor packages is what their counters have grown by", "[base][energy]") {
  const TemporaryFolder folder;
  write_domain(folder, "intel-rapl:0", "package-0", "5000000");
  write_domain(folder, "intel-rapl:1", "package-1", "7000000");
  write_domain(folder, "intel-rapl:2", "psys", "9000000");            // the whole machine, packages included
  write_domain(folder, "intel-rapl:0:0", "core", "1000000");          // a part of a package
  write_domain(folder, "intel-rapl-mmio:0", "package-0", "5000000");  // the same by another way
  const EnergyCounters found = processor_energy(folder.path());
  CHECK(found.missing.empty());
  REQUIRE(found.counters.size() == 2);
  CHECK(found.counters[0].name == "package-0");
  CHECK(found.counters[1].name == "package-1");
  EnergyMeter meter(found.counters);
  CHECK(meter.joules() == 0.0);
  for (const char* other : {"intel-rapl:2", "intel-rapl:0:0", "intel-rapl-mmio:0"}) folder.write(std::string(other) + "/energy_uj", "99000000");
  CHECK(meter.joules() == 0.0);
  folder.write("intel-rapl:0/energy_uj", "5500000");
  folder.write("intel-rapl:1/energy_uj", "9000000");
  CHECK(meter.joules().value() == Approx(2.5));
  folder.write("intel-rapl:1/energy_uj", "9250000");
  CHECK(meter.joules().value() == Approx(2.75));
}

TEST_CASE("a counter of energy that began anew goes on where it was", "[base][energy]") {
  const TemporaryFolder folder;
  write_domain(folder, "intel-rapl:0", "package-0", "262143000000");
  EnergyMeter meter(processor_energy(folder.path()).counters);
  folder.write("intel-rapl:0/energy_uj", "671150");
  CHECK(meter.joules().value() == Approx(1.0));
  folder.write("intel-rapl:0/energy_uj", "1671150");
  CHECK(meter.joules().value() == Approx(2.0));
}

TEST_CASE("energy that cannot be read is not known, and why is said", "[base][energy]") {
  const TemporaryFolder folder;
  CHECK(processor_energy(folder.path()).missing == folder.path() + " shows no counter of a processor package");
  CHECK(processor_energy(folder / "none").counters.empty());
  CHECK_FALSE(EnergyMeter({}).joules());

  write_domain(folder, "intel-rapl:0", "package-0", "5000000");
  write_domain(folder, "intel-rapl:1", "package-1", "text");
  const EnergyCounters half = processor_energy(folder.path());
  CHECK(half.counters.empty());  // half of the machine's energy would be taken for all of it
  CHECK(half.missing == folder / "intel-rapl:1/energy_uj: holds no number");
  std::filesystem::remove(folder / "intel-rapl:1/energy_uj");
  CHECK(processor_energy(folder.path()).missing == folder / "intel-rapl:1/energy_uj: No such file or directory");
  folder.write("intel-rapl:1/energy_uj", "1");
  std::filesystem::permissions(folder / "intel-rapl:1/energy_uj", std::filesystem::perms::none);
  if (::geteuid() != 0) {
    CHECK(processor_energy(folder.path()).missing ==
          folder / "intel-rapl:1/energy_uj: Permission denied (the kernel shows it to root only)");
  }
}

TEST_CASE("a counter that stops answering makes the energy unknown for good", "[base][energy]") {
  std::optional<double> value = 5.0;
  EnergyMeter meter({{.name = "card", .read = [&] { return value; }, .range = 0}});
  value = 8.0;
  CHECK(meter.joules() == 3.0);
  value.reset();
  CHECK_FALSE(meter.joules());
  value = 9.0;
  CHECK_FALSE(meter.joules());
  EnergyMeter backwards({{.name = "card", .read = [&] { return value; }, .range = 0}});
  value = 1.0;  // nobody says where it begins anew
  CHECK_FALSE(backwards.joules());
}

TEST_CASE("counters of two kinds come together with what is missing of either", "[base][energy]") {
  const auto one = [](const char* name, const char* missing) {
    return EnergyCounters{.counters = {{.name = name, .read = [] { return std::optional(0.0); }, .range = 0}}, .missing = missing};
  };
  const EnergyCounters both = one("a", "") + one("b", "x");
  CHECK(both.counters.size() == 2);
  CHECK(both.missing == "x");
  CHECK((one("a", "w") + one("b", "x")).missing == "w; x");
}

TEST_CASE("the process knows how much memory it took at most", "[base]") {
  const std::int64_t before = peak_resident_memory();
  CHECK(before > std::int64_t{1} << 20);
  std::vector<char> taken(static_cast<std::size_t>(before) + (std::size_t{64} << 20), 'x');
  CHECK(taken[taken.size() / 2] == 'x');
  CHECK(peak_resident_memory() >= static_cast<std::int64_t>(taken.size()));
}
