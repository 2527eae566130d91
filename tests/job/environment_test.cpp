// What is said about the machine.
#include "attune/job/environment.h"

#include "catch.h"

using namespace attune::job;

TEST_CASE("where other jobs take all cores there is a hint, unless threads sleep already", "[job]") {
  CHECK(busy_hint({.load = 1.9, .cores = 2}).empty());
  CHECK(busy_hint({.load = 10, .cores = 2, .waits_passively = true}).empty());
  CHECK(busy_hint({.load = 10.24, .cores = 2}).starts_with("other jobs keep this machine busy (load 10.2, 2 cores): OMP_WAIT_POLICY=passive"));
  CHECK(machine_load().cores >= 1);
}
