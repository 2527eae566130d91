// The frozen front of a model: a text has the same bits in any company, and keeping them changes nothing.
#include "attune/train/frozen_prefix.h"

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>

#include <malloc.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "attune/base/hash128.h"
#include "attune/train/evaluate.h"
#include "catch.h"
#include "temporary_folder.h"
#include "train/encoder_run.h"

using namespace attune;
using namespace attune::testing;
using train::FrozenPrefix;
using train::PrefixCache;

namespace {

constexpr std::int64_t kPlenty = std::int64_t{1} << 30;

using RowList = std::vector<const task::Encoded*>;

RowList all_of(const std::vector<task::Encoded>& rows) {
  RowList list;
  for (const task::Encoded& row : rows) list.push_back(&row);
  return list;
}

/// A new encoder of MiniLM's width, whose products are of the size that counts.
models::LoadedModel wide_encoder(nn::Precision precision) {
  EditedCheckpoint checkpoint("bert_sequence");
  checkpoint.config.update({{"hidden_size", 384}, {"intermediate_size", 1536}, {"num_attention_heads", 12}, {"max_position_embeddings", 512}, {"vocab_size", 100}});
  checkpoint.tensors.clear();
  checkpoint.options.random_weights = true;
  models::LoadedModel loaded = checkpoint.load();
  loaded.model->set_execution({.device = at::kCPU, .precision = precision});
  return loaded;
}

std::vector<task::Encoded> texts_of_lengths(const std::vector<std::int64_t>& lengths) {
  std::vector<task::Encoded> rows(lengths.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].row = rows[i].example = static_cast<std::int64_t>(i);
    rows[i].label = 0;
    for (std::int64_t t = 0; t < lengths[i]; ++t) rows[i].ids.push_back(static_cast<std::int32_t>((7 * i + 3 * t * t + t) % 100));
  }
  return rows;
}

/// The rows of each text, computed with all others and then alone.
void check_independence(const models::LoadedModel& loaded, const task::Task& task, const std::vector<task::Encoded>& rows) {
  for (int stages = 2; stages <= loaded.model->depth() + 1; ++stages) {
    PrefixCache none(0);
    FrozenPrefix prefix(*loaded.model, stages, none);
    const task::Batch together = task.collate(all_of(rows), {});
    const at::Tensor all = prefix.state(together).hidden;
    const bool one_a_text = all.size(0) == static_cast<std::int64_t>(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      INFO(stages << " stages, text " << i);
      const task::Batch alone = task.collate(RowList{&rows[i]}, {});
      const at::Tensor own = prefix.state(alone).hidden;
      const std::int64_t count = one_a_text ? 1 : static_cast<std::int64_t>(rows[i].ids.size());
      const std::int64_t first = one_a_text ? static_cast<std::int64_t>(i) : together.input.layout.cu_seqlens[i];
      CHECK(at::equal(all.narrow(0, first, count), own.narrow(0, 0, count)));
    }
  }
}

/// The head and the last layer of a two-layer encoder train, or the head alone.
struct FrozenRun : EncoderRun {
  FrozenRun(int stages, std::int64_t memory, const std::string& golden = "bert_sequence", const models::Execution& execution = {})
      : EncoderRun(golden, execution), cache(memory) {
    for (std::size_t i = 0; i < job.trainable.size(); ++i) job.trainable[i] = loaded.model->parameters()[i].stages.front() >= stages;
    prefix = std::make_unique<FrozenPrefix>(*loaded.model, stages, cache);
    job.prefix = prefix.get();
    job.validation = train::Split{.rows = rows, .examples = {}};
    examples.resize(rows.size());
    job.validation->examples = examples;
    job.options.eval_strategy = "steps";
    job.options.eval_steps = 2;
    job.early_stopping.metric = "eval_loss";
  }

  PrefixCache cache;
  std::unique_ptr<FrozenPrefix> prefix;
  std::vector<data::Example> examples;
};

}  // namespace

TEST_CASE("a text's rows do not depend on the texts beside it", "[train][prefix]") {
  const int threads = at::get_num_threads();
  for (const nn::Precision precision : {nn::Precision::float32, nn::Precision::bfloat16}) {
    const models::LoadedModel loaded = wide_encoder(precision);
    task::TaskOptions options;
    options.labels = {.kind = data::TargetKind::single, .names = {"calm", "brisk", "über"}};
    const auto task = task::make_classification(options);
    for (const int count : {1, 2}) {
      INFO(count << " threads");
      at::set_num_threads(count);
      check_independence(loaded, *task, texts_of_lengths({5, 64, 17, 3, 65, 20, 20, 31, 1, 130, 300, 9, 128, 44, 256, 2, 19, 7}));
    }
  }
  at::set_num_threads(threads);
}

TEST_CASE("a text's rows do not depend on the number of threads", "[train][prefix]") {
  const int threads = at::get_num_threads();
  const FakeTask task;
  const std::vector<task::Encoded> rows = texts_of_lengths({300, 20, 256, 64, 130, 128, 5, 65, 44, 31, 200, 210, 220, 230, 240, 250, 260, 270});
  for (const nn::Precision precision : {nn::Precision::float32, nn::Precision::bfloat16}) {
    const models::LoadedModel loaded = wide_encoder(precision);
    std::vector<at::Tensor> of_counts;
    for (const int count : {1, 2, 3, 8}) {
      at::set_num_threads(count);
      PrefixCache none(0);
      for (const std::size_t texts : {rows.size(), std::size_t{1}}) {  // many tiles, and one
        FrozenPrefix prefix(*loaded.model, 2, none);
        RowList list = all_of(rows);
        list.resize(texts);
        of_counts.push_back(prefix.state(task.collate(list, {})).hidden.narrow(0, 0, 300));
      }
    }
    for (const at::Tensor& rows_of_first : of_counts) CHECK(at::equal(rows_of_first, of_counts.front()));
  }
  at::set_num_threads(threads);
}

TEST_CASE("a text's rows do not depend on the texts beside it, in every architecture", "[train][prefix]") {
  const FakeTask task;
  std::vector<task::Encoded> rows = fake_rows(18);
  for (const std::string& golden : kGoldenModels) {
    INFO(golden);
    check_independence(load_golden(golden), task, rows);
  }
}

TEST_CASE("what is kept gives the bits of what is computed again", "[train][prefix]") {
  for (const auto precision : {nn::Precision::float32, nn::Precision::bfloat16}) {
    for (const std::string golden : {"bert_sequence", "distilbert_sequence", "gpt2_sequence"}) {
      for (const int stages : {2, 3}) {
        INFO(golden << ", " << stages << " stages frozen");
        const models::Execution execution{.device = at::kCPU, .precision = precision};
        FrozenRun without(stages, 0, golden, execution), with(stages, kPlenty, golden, execution);
        CHECK(without.losses() == with.losses());
        CHECK(without.hash() == with.hash());
        CHECK(without.hash() != EncoderRun(golden, execution).hash());  // it did train
        CHECK(with.cache.counts().texts_computed < without.cache.counts().texts_computed);
        CHECK(without.cache.summary()["texts"] == 0);
      }
    }
  }
}

TEST_CASE("a text goes through the frozen stages once, whatever reads it", "[train][prefix]") {
  FakeRun run;
  for (std::size_t i = 0; i < run.job.trainable.size(); ++i) run.job.trainable[i] = i + 2 >= run.job.trainable.size();
  REQUIRE(train::lowest_trained_stage(run.model, run.job.trainable) == 3);
  PrefixCache cache(kPlenty);
  FrozenPrefix prefix(run.model, 3, cache);
  run.job.prefix = &prefix;
  run.validate_each("epoch");
  run.train();
  const int after_training = run.model.stages_run;
  CHECK(after_training == 2);  // a tile of the training rows, one of the validation rows
  FakeRun fold;  // another model with the same weights
  fold.job.trainable = run.job.trainable;
  FrozenPrefix again(fold.model, 3, cache);
  fold.job.prefix = &again;
  fold.train();
  CHECK(fold.model.stages_run == 0);
  CHECK(fold.hash() != FakeRun().hash());
  const files::Json did = cache.summary();
  CHECK(did["computed"] == did["texts"]);
  CHECK(did["reused"] == 2 * 3 * 18 + 3 * 10 - did["computed"].get<int>());  // two trainings of 3 epochs, one evaluated
}

TEST_CASE("other weights, other stages or another precision make the cache forget", "[train][prefix]") {
  const EncoderRun run("bert_sequence");
  const task::Batch batch = run.task->collate(all_of(run.rows), {});
  PrefixCache cache(kPlenty);
  FrozenPrefix first(*run.loaded.model, 2, cache);
  const at::Tensor before = first.state(batch).hidden;
  const std::int64_t once = cache.counts().texts_computed;
  first.state(batch);
  CHECK(cache.counts().texts_computed == once);

  EncoderRun other("bert_sequence");
  for (models::Parameter& parameter : other.loaded.model->parameters()) {
    if (parameter.name.ends_with("layer.0.output.dense.bias")) parameter.tensor.set_data(parameter.tensor + 1);
  }
  FrozenPrefix changed(*other.loaded.model, 2, cache);
  CHECK_FALSE(at::equal(changed.state(batch).hidden, before));
  CHECK(cache.counts().texts_computed == 2 * once);
  CHECK(at::equal(first.state(batch).hidden, before));
  FrozenPrefix deeper(*run.loaded.model, 3, cache);
  CHECK(deeper.state(batch).hidden.size(0) == 18);  // all that the head reads: a row a text
  EncoderRun half("bert_sequence", {.device = at::kCPU, .precision = nn::Precision::bfloat16});
  FrozenPrefix rounded(*half.loaded.model, 2, cache);
  CHECK_FALSE(at::equal(rounded.state(batch).hidden, before));
}

TEST_CASE("token types are part of a text, masked words make another one that is not kept", "[train][prefix]") {
  EncoderRun run("bert_sequence");
  run.rows.resize(1);
  run.rows[0].ids = {5, 6, 7, 8};
  PrefixCache cache(kPlenty);
  FrozenPrefix prefix(*run.loaded.model, 2, cache);
  const auto hidden = [&] { return prefix.state(run.task->collate(all_of(run.rows), {})).hidden.narrow(0, 0, 4); };
  const at::Tensor plain = hidden();
  run.rows[0].type_ids = {0, 0, 0, 0};
  CHECK(at::equal(hidden(), plain));
  CHECK(cache.summary()["texts"] == 1);
  run.rows[0].type_ids = {0, 0, 1, 1};
  CHECK_FALSE(at::equal(hidden(), plain));
  CHECK(cache.summary()["texts"] == 2);

  task::Batch masked = run.task->collate(all_of(run.rows), {});
  masked.input.ids.mutable_data_ptr<std::int64_t>()[2] = 4;
  CHECK_FALSE(at::equal(prefix.state(masked).hidden.narrow(0, 0, 4), hidden()));
  CHECK(cache.summary()["texts"] == 2);
}

TEST_CASE("what memory does not hold lies in a file without a name", "[train][prefix]") {
  const TemporaryFolder folder;
  FrozenRun in_memory(2, kPlenty), in_file(2, 1);
  in_file.cache.spill_to(folder.path());
  CHECK(in_file.losses() == in_memory.losses());
  CHECK(in_file.hash() == in_memory.hash());
  CHECK(in_file.cache.counts().texts_computed == in_memory.cache.counts().texts_computed);
  CHECK(in_file.cache.summary()["bytes"] == 0);
  CHECK(in_file.cache.summary()["file_bytes"] == in_memory.cache.summary()["bytes"]);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("memory is filled first, then the file", "[train][prefix]") {
  const TemporaryFolder folder;
  PrefixCache cache(100);
  cache.spill_to(folder.path());
  const std::vector<Hash128> texts = {hash128("first"), hash128("second"), hash128("third")};
  cache.find("a prefix", texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const PrefixCache::Tile tile{.rows = at::full({2, 10}, static_cast<double>(i), at::kFloat), .one_a_text = true, .texts = {{texts[i], 40}}};
    cache.keep("a prefix", tile);
    cache.keep("a prefix", tile);       // another training has computed it, too
    cache.keep("another prefix", tile);  // of a training that was overtaken
  }
  CHECK(cache.summary()["bytes"] == 80);
  CHECK(cache.summary()["file_bytes"] == 160);
  const PrefixCache::Found found = cache.find("a prefix", texts);
  CHECK(found.form.width == 10);
  const auto check_rows = [&] {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::vector<float> row(10);
      found.places[i].read(40, reinterpret_cast<std::byte*>(row.data()));
      CHECK(row == std::vector<float>(10, static_cast<float>(i)));
    }
  };
  check_rows();

  SECTION("until somebody else needs the disk") {
    CHECK(cache.give_up_file());
    CHECK(cache.summary()["file_bytes"] == 0);
    CHECK_FALSE(cache.has_room());
    const PrefixCache::Found left = cache.find("a prefix", texts);
    CHECK(left.places[0].is_known());
    CHECK_FALSE(left.places[1].is_known());
    CHECK_FALSE(left.places[2].is_known());
    check_rows();  // whoever has a place may still read it
    CHECK_FALSE(cache.give_up_file());
  }
  CHECK_FALSE(cache.find("another", texts).places[0].is_known());
  CHECK(cache.summary()["bytes"] == 0);
  check_rows();  // whoever has a place may still read it
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#if __GLIBC_PREREQ(2, 33)
TEST_CASE("a text in the file takes little memory", "[train][prefix]") {
  constexpr std::size_t kTiles = 2000, kTextsATile = 50;
  constexpr double kBytesAText = 72;  // 62 were measured; with texts as keys 174 of 12 tokens, 638 of 128
  const TemporaryFolder folder;
  PrefixCache cache(1);
  cache.spill_to(folder.path());
  cache.find("a prefix", {});
  const at::Tensor rows = at::full({kTextsATile, 1}, 1.0, at::kFloat);
  const auto keep = [&](std::size_t number) {
    PrefixCache::Tile tile{.rows = rows, .one_a_text = true, .texts = {}};
    for (std::size_t i = 0; i < kTextsATile; ++i) {
      tile.texts.emplace_back(hash128(std::to_string(number * kTextsATile + i)), static_cast<std::int64_t>(i * sizeof(float)));
    }
    cache.keep("a prefix", tile);
  };
  keep(0);  // makes the file
  const auto taken = [] {
    const struct mallinfo2 now = ::mallinfo2();
    return now.uordblks + now.hblkhd;
  };
  const std::size_t before = taken();
  for (std::size_t number = 1; number <= kTiles; ++number) keep(number);
  const double bytes = static_cast<double>(taken() - before) / static_cast<double>(kTiles * kTextsATile);
  INFO(bytes << " bytes a text");
  CHECK(cache.summary()["texts"] == (kTiles + 1) * kTextsATile);
  CHECK(cache.summary()["bytes"] == 0);
  CHECK(bytes < kBytesAText);
  CHECK(bytes > 20);  // they are there
}
#endif
#endif

TEST_CASE("a cache is filled ahead as far as there is room, until somebody stops it", "[train][prefix]") {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);  // how many texts go through at a time depends on it
  const FakeModel model;
  std::vector<task::Encoded> rows = fake_rows(40);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].ids.assign(600, static_cast<std::int32_t>(i % 11));
  rows[0].ids.back() = 10;
  const auto told = [&](PrefixCache& cache, bool stop) {
    std::vector<std::int64_t> numbers;
    FrozenPrefix(model, 3, cache).fill(all_of(rows), [&](std::int64_t done) {
      numbers.push_back(done);
      return stop;
    });
    return numbers;
  };
  PrefixCache cache(kPlenty), stopped(kPlenty), none(0);
  CHECK(told(cache, false) == std::vector<std::int64_t>{7, 14, 21, 28, 35, 40});
  CHECK(cache.summary()["texts"] == 12);
  CHECK(cache.summary()["computed"] == 12);  // equal texts once
  const int before = model.stages_run;
  FrozenPrefix(model, 3, cache).state(FakeTask().collate(all_of(rows), {}));
  CHECK(model.stages_run == before);
  CHECK(told(stopped, true) == std::vector<std::int64_t>{7});
  CHECK(told(none, false).empty());
  at::set_num_threads(threads);
}

TEST_CASE("without room, on disk or in memory, texts are computed again", "[train][prefix]") {
  const TemporaryFolder folder;
  FrozenRun full(2, 1), no_folder(2, 1), without(2, 0);
  full.cache.spill_to(folder / "gone");
  const std::vector<double> expected = without.losses();
  CHECK(full.losses() == expected);
  CHECK(no_folder.losses() == expected);
  CHECK(full.cache.summary()["texts"] == 0);
}

TEST_CASE("a resumed run computes what it needs and ends with the same bits", "[train][prefix]") {
  const TemporaryFolder folder;
  FrozenRun whole(3, kPlenty);
  whole.job.folder = folder.path();
  whole.job.options.save_strategy = "steps";
  whole.job.options.save_steps = 1;
  whole.job.options.save_total_limit = 0;
  whole.losses();
  for (const int step : {1, 5}) {
    for (const std::int64_t memory : {std::int64_t{0}, kPlenty}) {
      FrozenRun resumed(3, memory);
      resumed.job.folder = folder.path();
      resumed.job.resume_from = folder / ("checkpoints/checkpoint-" + std::to_string(step));
      resumed.losses();
      CHECK(resumed.hash() == whole.hash());
    }
  }
}

TEST_CASE("predictions through the frozen stages are those of the whole model", "[train][prefix]") {
  FrozenRun run(3, kPlenty);
  run.losses();
  const auto whole = train::predict(*run.loaded.model, *run.task, run.rows, 4);
  const auto never = [](std::int64_t) { return false; };
  const auto kept = train::predict_until(*run.loaded.model, *run.task, {run.rows, {}}, 4, never, run.prefix.get());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (std::size_t j = 0; j < 3; ++j) CHECK((*kept)[i].logits[j] == Approx(whole[i].logits[j]).margin(1e-6));
  }
}
