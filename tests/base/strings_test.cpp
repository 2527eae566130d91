// Words as a shell reads them.
#include "attune/base/strings.h"

#include "catch.h"

using attune::in_shell;

TEST_CASE("a word stands in quotes where a shell would read it otherwise", "[base]") {
  CHECK(in_shell("model.path=runs/meta-support") == "model.path=runs/meta-support");
  CHECK(in_shell("my runs/meta") == "'my runs/meta'");
  CHECK(in_shell("seeds=[1,2]") == "'seeds=[1,2]'");
  CHECK(in_shell("it's") == "'it'\\''s'");
}
