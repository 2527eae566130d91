// Hashes of frozen weights that are computed once a run.
#include "../../src/job/frozen_hashes.h"

#include <filesystem>

#include "attune/train/frozen_prefix.h"
#include "attune/train/trainer.h"
#include "catch.h"
#include "models/golden.h"
#include "temporary_folder.h"

using namespace attune;
using namespace attune::testing;

namespace fs = std::filesystem;

TEST_CASE("hashes are known again of weights from the same files", "[job]") {
  const TemporaryFolder folder;
  fs::copy(golden_folder("bert_sequence"), folder / "base", fs::copy_options::recursive);
  const auto open = [&] { return models::load_model(folder / "base", golden_options("bert_sequence")); };
  job::FrozenHashes hashes;
  const models::LoadedModel first = open();
  const std::vector<std::string> whole = train::tensors_sha256(*first.model);
  const std::vector<std::string> frozen = train::tensors_sha256_below(*first.model, 2, {});
  CHECK(hashes.known(first) == std::vector<std::string>(whole.size(), ""));
  hashes.remember(first, frozen);
  CHECK(hashes.known(open()) == frozen);
  for (std::size_t i = 0; i < frozen.size(); ++i) {
    CHECK(frozen[i] == (first.model->parameters()[i].stages.front() < 2 ? whole[i] : ""));
  }

  SECTION("files of the same names that were exchanged are others") {
    fs::copy(folder / "base/model.safetensors", folder / "new");
    fs::rename(folder / "new", folder / "base/model.safetensors");
    CHECK(hashes.known(open()) == std::vector<std::string>(whole.size(), ""));
  }
  SECTION("weights that no file holds are not remembered") {
    models::LoadOptions options = golden_options("bert_sequence");
    options.random_weights = true;
    const models::LoadedModel random = models::load_model(folder / "base", options);
    job::FrozenHashes others;
    others.remember(random, train::tensors_sha256(*random.model));
    CHECK(others.known(random) == std::vector<std::string>(whole.size(), ""));
  }
}

TEST_CASE("a frozen prefix takes known hashes and computes those of frozen weights alone", "[train][prefix]") {
  const models::LoadedModel loaded = load_golden("bert_sequence");
  train::PrefixCache cache(0);
  const std::vector<std::string> own = train::FrozenPrefix(*loaded.model, 2, cache).hashes();
  CHECK(own == train::tensors_sha256_below(*loaded.model, 2, {}));
  std::vector<std::string> known(own.size(), "");
  known[0] = "told";
  known.back() = "of a head that trains";
  std::vector<std::string> expected = own;
  expected[0] = "told";
  CHECK(train::FrozenPrefix(*loaded.model, 2, cache, known).hashes() == expected);
}
