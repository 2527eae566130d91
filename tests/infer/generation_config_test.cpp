// Options from generation_config.json and from a command line.
#include "attune/infer/generation_config.h"

#include <fstream>

#include "attune/base/log.h"
#include "raises.h"
#include "temporary_folder.h"

using namespace attune;
using namespace attune::infer;
using attune::testing::TemporaryFolder;

namespace {

using Given = std::map<std::string, std::vector<std::string>>;

void write(const TemporaryFolder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder / name) << text;
}

GenerationOptions after(const Given& given) {
  GenerationOptions options;
  set_options(given, options);
  return options;
}

}  // namespace

TEST_CASE("a folder's generation_config.json gives the defaults", "[infer]") {
  const TemporaryFolder folder;
  write(folder, "config.json", R"({"eos_token_id": 9})");
  CHECK(folder_options(folder.path()).eos_token_id == std::vector<std::int64_t>{9});
  write(
      folder, "generation_config.json",
      R"({"eos_token_id": [1, 2], "do_sample": true, "temperature": 0.6, "top_p": 0.95, "top_k": null, "early_stopping": true,
            "max_length": 30, "transformers_version": "5.23.0"})");
  const GenerationOptions options = folder_options(folder.path());
  CHECK(options.eos_token_id == std::vector<std::int64_t>{1, 2});
  CHECK(options.do_sample);
  CHECK(options.temperature == 0.6);
  CHECK(options.top_p == 0.95);
  CHECK(options.top_k == 50);
  CHECK(options.early_stopping == "true");
  CHECK(options.new_tokens_behind(10) == 20);
  write(folder, "generation_config.json", R"({"temperature": "hot"})");
  CHECK_RAISES(folder_options(folder.path()), model, "found \"hot\", expected a value > 0 (temperature)");
  write(folder, "generation_config.json", "[]");
  CHECK_RAISES(folder_options(folder.path()), model, "expected an object");
}

TEST_CASE("an end token that the vocabulary has not is an error that names the file which says it", "[infer]") {
  const TemporaryFolder folder;
  check_folder_end_tokens(folder.path(), 32);  // nothing is said
  write(folder, "config.json", R"({"eos_token_id": 32})");
  CHECK_RAISES(check_folder_end_tokens(folder.path(), 32), model,
               folder / "config.json" + ": found 32, the model's vocabulary has 32 tokens (eos_token_id); write ids from 0 to 31");
  check_folder_end_tokens(folder.path(), 33);
  write(folder, "generation_config.json", "{}");  // then config.json counts for nothing
  check_folder_end_tokens(folder.path(), 32);
  write(folder, "generation_config.json", R"({"eos_token_id": [2, 9999]})");
  CHECK_RAISES(check_folder_end_tokens(folder.path(), 32), model,
               folder / "generation_config.json" + ": found 9999, the model's vocabulary has 32 tokens (eos_token_id)");
  write(folder, "generation_config.json", R"({"eos_token_id": [2, 31]})");
  check_folder_end_tokens(folder.path(), 32);
}

TEST_CASE("what a folder asks for and attune does not do is said", "[infer]") {
  const TemporaryFolder folder;
  write(folder, "config.json", "{}");
  write(folder, "generation_config.json",
        R"({"typical_p": 0.5, "eta_cutoff": 0.0, "guidance_scale": null, "min_length": 0})");
  std::vector<std::string> said;
  log::redirect([&](log::Level, std::string_view message) { said.emplace_back(message); });
  folder_options(folder.path());
  log::redirect(nullptr);
  REQUIRE(said.size() == 1);
  CHECK(said[0].find("typical_p is not followed") != std::string::npos);
}

TEST_CASE("options of a command line are read by their kind", "[infer]") {
  const GenerationOptions options = after({{"do_sample", {"true"}},
                                           {"top_k", {"3", "5"}},
                                           {"stop_strings", {"1", "\n"}},
                                           {"eos_token_id", {"1", "2"}},
                                           {"min_p", {"0.1"}},
                                           {"seed", {"18446744073709551615"}}});
  CHECK(options.top_k == 5);
  CHECK(options.stop_strings == std::vector<std::string>{"1", "\n"});
  CHECK(options.eos_token_id == std::vector<std::int64_t>{1, 2});
  CHECK(options.min_p == 0.1);
  CHECK(options.seed == 18446744073709551615u);
  CHECK(after({{"num_beams", {"2"}}, {"early_stopping", {"true"}}}).early_stopping == "true");
  CHECK_RAISES(after({{"max_new_tokens", {"0"}}}), usage, "found 0, expected a value in [1, ");
  CHECK_RAISES(after({{"max_new_tokens", {"2.5"}}}), usage, "found 2.5");
  CHECK_RAISES(after({{"max_new_tokens", {"many"}}}), usage, "found \"many\"");
  CHECK_RAISES(after({{"num_beams", {"2"}}, {"early_stopping", {"soon"}}}), usage,
               "expected a value false, true, never");
}

TEST_CASE("options that would change nothing are refused", "[infer]") {
  CHECK_RAISES(after({{"temperature", {"0.5"}}}), usage, "temperature changes nothing without do_sample");
  CHECK_RAISES(after({{"top_p", {"0.5"}}, {"do_sample", {"false"}}}), usage, "top_p changes nothing without do_sample");
  CHECK_RAISES(after({{"length_penalty", {"2"}}}), usage, "length_penalty changes nothing without num_beams");
}

TEST_CASE("options that contradict one another are refused", "[infer]") {
  CHECK_RAISES(after({{"stop_strings", {"a", ""}}}), usage, "an empty stop string would end every text");
  CHECK_RAISES(after({{"min_new_tokens", {"9"}}, {"max_new_tokens", {"8"}}}), usage, "9 tokens at least and 8 at most");
  CHECK(after({{"min_new_tokens", {"8"}}, {"max_new_tokens", {"8"}}}).min_new_tokens == 8);
  GenerationSettings settings;
  settings.values.stop_strings = {""};
  settings.given["stop_strings"] = true;
  CHECK_RAISES(with_settings({}, settings), usage, "(generation.stop_strings)");
}

TEST_CASE("settings lie over a folder's options, and draw nothing at random unless they say so", "[infer]") {
  GenerationOptions folder;
  folder.do_sample = true;
  folder.temperature = 0.6;
  folder.num_beams = 4;
  folder.max_new_tokens = 9;
  CHECK_FALSE(with_settings(folder, {}).do_sample);
  CHECK(with_settings(folder, {}).num_beams == 4);
  CHECK(with_settings(folder, {}).max_new_tokens == 9);

  GenerationSettings settings;
  settings.values.num_beams = 1;  // the options' default, and given all the same
  settings.given["num_beams"] = true;
  settings.values.top_k = 3;  // not given
  settings.values.max_length = 30;
  const GenerationOptions options = with_settings(folder, settings);
  CHECK(options.num_beams == 1);
  CHECK(options.top_k == 50);
  CHECK(options.new_tokens_behind(10) == 20);
  settings.values.do_sample = settings.given["do_sample"] = true;
  CHECK(with_settings(folder, settings).do_sample);
  CHECK(with_settings(folder, settings).temperature == 0.6);

  settings.values.do_sample = false;
  settings.given["top_k"] = true;
  CHECK_RAISES(with_settings(folder, settings), usage, "set generation.do_sample or leave it out");
  settings.given["top_k"] = false;
  settings.given["length_penalty"] = true;
  CHECK_RAISES(with_settings(folder, settings), usage, "length_penalty changes nothing without num_beams");
}
