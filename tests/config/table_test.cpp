// The field lists themselves: what a person may rely on for every option.
#include <regex>
#include <set>

#include "../../src/config/foreign.h"
#include "../../src/config/option.h"
#include "attune/base/strings.h"
#include "catch.h"
#include "support.h"

using namespace attune;
using namespace attune::config;

TEST_CASE("no key and no alias of the configuration is ambiguous", "[config]") {
  job::RunOptions options;
  const auto table = option_table(options);
  REQUIRE(table.size() > 80);
  std::set<std::string> paths, flat_keys, aliases;
  for (const auto& option : table) {
    INFO(option.path);
    CHECK(paths.insert(option.path).second);
    if (option.block.empty() || option.block == "training") CHECK(flat_keys.insert(option.key()).second);
    CHECK(foreign_key_hint(option.field.key).empty());
  }
  for (const auto& option : table) {
    for (const auto& alias : option.field.aliases) {
      INFO(alias.name);
      CHECK(aliases.emplace(alias.name).second);
      CHECK(flat_keys.count(std::string(alias.name)) == 0);
      CHECK(find_option(table, child_path(option.block, std::string(alias.name))) == nullptr);
      CHECK(foreign_key_hint(alias.name).empty());
      CHECK_FALSE(option.is_block);
    }
  }
}

TEST_CASE("every option is explained in whole sentences", "[config]") {
  job::RunOptions options;
  for (const auto& option : option_table(options)) {
    INFO(option.path);
    const std::string help(option.field.help);
    REQUIRE(help.size() > 10);
    CHECK(help.back() == '.');
    CHECK(help.find("  ") == std::string::npos);
    CHECK_FALSE(option.expected.empty());
  }
}

TEST_CASE("every default is a value that its option takes", "[config]") {
  job::RunOptions options;
  for (const auto& option : option_table(options)) {
    if (option.is_block || option.lacks_value()) continue;
    INFO(option.path << " = " << option.write());
    const Json before = option.write();
    if (option.read_list) {
      std::vector<Problem> problems;
      CHECK(option.read_list(before, "run.json", option.path, problems));
      CHECK(problems.empty());
    } else {
      CHECK(option.read(before));
    }
    CHECK(option.write() == before);
  }
}

TEST_CASE("the words of a range say what it takes", "[config]") {
  CHECK(above(0).words() == "> 0");
  CHECK(between(1, 3).words() == "in [1, 3]");
  CHECK(share().words() == "in [0, 1)");
  CHECK(between(1, 1).words() == "1");
  CHECK(share_or_count().words() == "in [0, 1e+09], whole from 1 on");
  CHECK(Range{.min = 2}.words() == ">= 2");
  CHECK(Range{}.words().empty());
  CHECK(share_or_count().contains(0.5));
  CHECK(share_or_count().contains(7));
  CHECK_FALSE(share_or_count().contains(1.5));
  CHECK_FALSE(share_or_count().contains(1e300));
  CHECK_FALSE(share_or_count().contains(-1));
  CHECK_FALSE(share().contains(1));
  CHECK_FALSE(above(0).contains(0));
  CHECK_FALSE(Range{}.contains(std::numeric_limits<double>::quiet_NaN()));
}
