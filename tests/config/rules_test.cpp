// Rules between options: what contradicts is refused, what makes sense is not.
#include "../../src/config/rules.h"

#include "../../src/config/option.h"
#include "../../src/config/reader.h"
#include "attune/base/strings.h"
#include "catch.h"
#include "support.h"
#include "temporary_folder.h"

using namespace attune;
using namespace attune::config;

namespace {

const std::string kHoldout = "data.val_size=0.1";

struct Case {
  std::string key;  ///< that is blamed
  Overrides overrides;
};

const std::vector<Case> kContradictions = {
    {"early_stopping", {"early_stopping.patience=2"}},
    {"early_stopping", {kHoldout, "training.eval_strategy=no", "early_stopping.patience=2"}},
    {"early_stopping", {"cross_validation.inner_validation=0", "early_stopping.patience=2"}},
    {"training.eval_strategy", {"training.eval_strategy=epoch", "training.load_best_model_at_end=false"}},
    {"training.load_best_model_at_end", {"training.load_best_model_at_end=true"}},
    {"training.load_best_model_at_end", {kHoldout, "training.eval_strategy=no", "training.load_best_model_at_end=true"}},
    {"training.metric_for_best_model", {kHoldout, "training.eval_strategy=no", "metric_for_best_model=eval_loss"}},
    {"training.metric_for_best_model", {"metric_for_best_model=eval_loss"}},
    {"training.save_strategy", {"training.save_strategy=best"}},
    {"training.eval_on_start", {"training.eval_on_start=true"}},
    {"training.eval_steps", {kHoldout, "training.eval_strategy=steps"}},
    {"training.eval_steps", {kHoldout, "training.eval_steps=50"}},
    {"training.eval_steps", {kHoldout, "eval_strategy=steps", "eval_steps=50", "max_steps=20"}},
    {"training.save_steps", {"training.save_steps=50"}},
    {"training.save_steps", {"training.save_strategy=steps", "training.max_steps=100"}},
    {"training.logging_steps", {"training.logging_strategy=epoch", "training.logging_steps=5"}},
    {"training.max_steps", {"training.max_steps=0"}},
    {"overwrite_output_dir", {"overwrite_output_dir=true", "resume_from_checkpoint=auto"}},
    {"resume_from_checkpoint", {"seeds=[1,2]", "resume_from_checkpoint=runs/x/checkpoints/checkpoint-5"}},
    {"resume_from_checkpoint", {"cross_validation={}", "resume_from_checkpoint=runs/x/checkpoints/checkpoint-5"}},
    {"early_stopping.metric", {kHoldout, "early_stopping.metric=eval_acuracy"}},
    {"early_stopping.metric", {kHoldout, "early_stopping.metric=eval_accuracy", "data.labels=regression"}},
    {"early_stopping.metric", {kHoldout, "early_stopping.metric=eval_majority_rate"}},
    {"training.metric_for_best_model", {kHoldout, "metric_for_best_model=f1", "model.task=fill-mask"}},
    {"early_stopping.mode", {kHoldout, "early_stopping.mode=max"}},
    {"training.greater_is_better", {kHoldout, "greater_is_better=true", "metric_for_best_model=eval_rmse"}},
    {"early_stopping.mode", {kHoldout, "early_stopping={\"mode\":\"min\",\"metric\":\"eval_accuracy\"}"}},
    {"training.greater_is_better", {kHoldout, "training.greater_is_better=true"}},
    {"training.greater_is_better", {kHoldout, "greater_is_better=false", "metric_for_best_model=f1_macro"}},
    {"training.batch_by", {"training.batch_by=tokens"}},
    {"training.tokens_per_batch", {"training.batch_by=rows", "training.tokens_per_batch=4096"}},
    {"training.per_device_train_batch_size", {"training.tokens_per_batch=4096", "training.per_device_train_batch_size=16"}},
    {"training.group_by_length", {"training.tokens_per_batch=4096", "training.group_by_length=true"}},
    {"cost.currency", {"cost.currency=EUR"}},
    {"data.val_size", {kHoldout, "data.validation=b.jsonl"}},
    {"data.subset", {"data.subset={}"}},
    {"data.subset.rows", {"data.subset.rows=5", "data.subset.per_class=2"}},
    {"data.subset.per_class", {"data.subset.per_class=2", "data.labels=multi"}},
    {"data.subset.per_class", {"data.subset.per_class=2", "model.task=fill-mask"}},
    {"data.subset.short_classes", {"data.subset.rows=5", "data.subset.short_classes=all"}},
    {"data.test_size", {"data.test=b.jsonl", "data.test_size=100"}},
    {"data.val_size", {"data.val_size=0.5", "data.test_size=0.5"}},
    {"data.validation", {"data.validation=./a.jsonl"}},
    {"data.test", {"data.test=[\"b.jsonl\",\"x/../a.jsonl\"]"}},
    {"data.split", {"data.split=group"}},
    {"data.split", {"data.split=time"}},
    {"data.split", {kHoldout, "data.columns.group=patient", "data.split=random"}},
    {"data.split", {kHoldout, "data.labels=regression", "data.split=stratified"}},
    {"cross_validation", {"cross_validation={}", "data.validation=b.jsonl"}},
    {"cross_validation", {"cross_validation={}", kHoldout}},
    {"cross_validation.group_column", {"cross_validation.group_column=a", "data.columns.group=b"}},
    {"cross_validation.repeats", {"cross_validation={\"repeats\":3,\"group_column\":\"patient\"}"}},
    {"cross_validation.stratify", {"cross_validation.stratify=true", "data.labels=multi"}},
    {"cross_validation.by_time", {"cross_validation.by_time=true"}},
    {"cross_validation.by_time",
     {"cross_validation.by_time=true", "data.columns={\"time\":\"seen\",\"group\":\"patient\"}"}},
    {"cross_validation.repeats", {"cross_validation.repeats=3", "data.columns.time=seen"}},
    {"cross_validation.stratify", {"cross_validation.stratify=true", "data.columns.time=seen"}},
    {"data.positive_label", {"data.positive_label=fraud", "data.labels=multi"}},
    {"training.class_weights", {"training.class_weights=balanced", "data.labels=multi"}},
    {"data.positive_label", {"data.positive_label=fraud", "model.task=fill-mask"}},
    {"tuning.method", {"tuning.freeze.layers=0-3"}},
    {"tuning.method", {"tuning.method=freeze"}},
    {"tuning.method", {"tuning.method=freeze", "tuning.freeze.embeddings=false"}},
    {"tuning.freeze.trainable_layers",
     {"tuning.method=freeze", "tuning.freeze={\"layers\":\"0\",\"trainable_layers\":2}"}},
    {"tuning.method", {"tuning.lora.r=4"}},
    {"tuning.method", {"tuning.contrastive.num_iterations=20"}},
    {"tuning.method", {"tuning.method=contrastive", "tuning.prototype.distance=euclidean"}},
    {"tuning.contrastive.head_c",
     {"tuning.method=contrastive", "tuning.contrastive={\"head\":\"prototype\",\"head_c\":2}"}},
    {"tuning.contrastive.texts_per_batch", {"tuning.method=contrastive", "tuning.contrastive={\"texts_per_batch\":12,\"merge_texts\":false}"}},
    {"tuning.contrastive.texts_per_batch", {"tuning.method=contrastive", "tuning.contrastive.texts_per_batch=12", "training.tokens_per_batch=500"}},
    {"tuning.contrastive.texts_per_batch", {"tuning.method=contrastive", "tuning.contrastive.texts_per_batch=12", "training.group_by_length=true"}},
    {"tuning.contrastive.texts_per_batch",
     {"tuning.method=contrastive", "tuning.contrastive.texts_per_batch=12", "training.train_sampling_strategy=sequential"}},
    {"model.task", {"tuning.method=contrastive", "model.task=token-classification"}},
    {"early_stopping", {"tuning.method=contrastive", kHoldout, "early_stopping={}"}},
    {"training.eval_strategy", {"tuning.method=prototype", kHoldout, "training.eval_strategy=epoch"}},
    {"training.label_smoothing_factor", {"tuning.method=contrastive", "training.label_smoothing_factor=0.1"}},
    {"training.head_learning_rate", {"tuning.method=contrastive", "training.head_learning_rate=0.1"}},
    {"tuning.lora.layers_to_transform", {"tuning.method=lora", "tuning.lora={\"target_modules\":\".*query\",\"layers_to_transform\":[0]}"}},
    {"tuning.lora.target_modules", {"tuning.method=lora", "tuning.lora.target_modules=[]"}},
    {"tuning.method", {"tuning.method=lora", "tuning.ia3.target_modules=[\"key\"]"}},
    {"tuning.method", {"tuning.prefix_tuning.num_virtual_tokens=4"}},
    {"tuning.ia3.target_modules", {"tuning.method=ia3", "tuning.ia3.target_modules=[]"}},
    {"tuning.prompt_tuning.prompt_tuning_init_text", {"tuning.method=prompt_tuning", "tuning.prompt_tuning.prompt_tuning_init_text=hello"}},
    {"tuning.prompt_tuning.prompt_tuning_init_text", {"tuning.method=prompt_tuning", "tuning.prompt_tuning.prompt_tuning_init=TEXT"}},
    {"tuning.prompt_tuning.tokenizer_name_or_path", {"tuning.method=prompt_tuning", "tuning.prompt_tuning.tokenizer_name_or_path=base"}},
    {"tuning.prompt_tuning.init_from", {"tuning.method=prompt_tuning", "tuning.prompt_tuning={\"init_from\":\"asked\",\"prompt_tuning_init\":\"SAMPLE_VOCAB\"}"}},
    {"tuning.prompt_tuning.init_from",
     {"tuning.method=prompt_tuning",
      "tuning.prompt_tuning={\"init_from\":\"asked\",\"prompt_tuning_init\":\"TEXT\",\"prompt_tuning_init_text\":\"hello\"}"}},
    {"tuning.prompt_tuning.init_from", {"tuning.method=prompt_tuning", "tuning.prompt_tuning={\"init_from\":\"asked\",\"adapter\":\"tuned\"}"}},
    {"tuning.p_tuning.encoder_num_layers", {"tuning.method=p_tuning", "tuning.p_tuning.encoder_num_layers=3"}},
    {"tuning.prefix_tuning.encoder_hidden_size", {"tuning.method=prefix_tuning", "tuning.prefix_tuning.encoder_hidden_size=8"}},
    {"data.token_cache_dir", {"data.token_cache_dir=tokens"}},
    {"data.wording", {"data.wording=short"}},
    {"data.train_wordings", {"data.train_wordings=*"}},
    {"data.train_wordings", {"data.prompts=p.json", "model.task=fill-mask", "data.train_wordings=[\"a\",\"a\"]"}},
    {"data.train_wordings", {"data.prompts=p.json", "model.task=fill-mask", "data.train_wordings=*", "cross_validation={}"}},
    {"data.unlabelled", {"data.unlabelled=u.jsonl"}},
    {"data.unlabelled",
     {"data.prompts=p.json", "model.task=fill-mask", "data.train_wordings=*", "tuning.self_training={}", "data.test=u.jsonl", "data.unlabelled=u.jsonl"}},
    {"tuning.self_training", {"tuning.self_training={}", "data.unlabelled=u.jsonl"}},
    {"tuning.self_training", {"data.prompts=p.json", "model.task=fill-mask", "data.train_wordings=*", "tuning.self_training={}"}},
    {"tuning.self_training",
     {"data.prompts=p.json", "model.task=fill-mask", "data.train_wordings=a", "tuning.self_training={}", "data.unlabelled=u.jsonl"}},
    {"tuning.self_training",
     {"data.prompts=p.json", "model.task=text-generation", "prompting.answer=text", "data.train_wordings=*", "tuning.self_training={}",
      "data.unlabelled=u.jsonl"}},
    {"tuning.self_training.start",
     {"data.prompts=p.json", "model.task=fill-mask", "model.init=random", "data.train_wordings=*", "tuning.self_training={\"start\":\"untouched\"}",
      "data.unlabelled=u.jsonl"}},
    {"data.prompts", {"data.prompts=p.json"}},
    {"data.token_cache_dir", {"data.prompts=p.json", "model.task=fill-mask", "data.token_cache_dir=tokens"}},
    {"prompting.answer", {"data.prompts=p.json", "model.task=fill-mask", "prompting.answer=text"}},
    {"prompting.answer", {"data.prompts=p.json", "model.task=text-generation", "prompting.answer=generation"}},
    {"prompting.examples.choose",
     {"data.prompts=p.json", "model.task=fill-mask", "prompting.examples={\"k\":2,\"choose\":\"nearest\"}"}},
    {"prompting.examples.k", {"data.prompts=p.json", "model.task=fill-mask", "prompting.examples.k=2", "cross_validation={}"}},
    {"training.class_weights", {"data.prompts=p.json", "model.task=fill-mask", "training.class_weights=balanced"}},
    {"training.label_smoothing_factor", {"data.prompts=p.json", "model.task=fill-mask", "training.label_smoothing_factor=0.1"}},
    {"training.predict_with_generate",
     {"data.prompts=p.json", "model.task=text-generation", kHoldout, "training.predict_with_generate=true"}},
    {"data.append_eos", {"data.prompts=p.json", "model.task=text-generation", "data.append_eos=false"}},
    {"data.labels", {"data.prompts=p.json", "model.task=text-generation", "data.labels=multi"}},
    {"tuning.lora.layers_pattern", {"tuning.method=lora", "tuning.lora.layers_pattern=layer"}},
    {"model.init", {"model.init=random", "tuning.method=head"}},
    {"device", {"device=cuda:0"}},
    {"model.new_head", {"model.init=random", "model.new_head=true"}},
    {"training.layerwise_lr_decay", {"tuning.method=head", "training.layerwise_lr_decay=0.9"}},
    {"training.head_learning_rate", {"tuning.method=head", "training.head_learning_rate=1e-3"}},
    {"training.frozen_dropout", {"training.frozen_dropout=true"}},
    {"data.labels", {"model.task=fill-mask", "data.labels=single"}},
    {"model.num_labels", {"model.task=fill-mask", "model.num_labels=3"}},
    {"model.num_labels", {"data.labels=single", "model.num_labels=1"}},
    {"data.template", {"model.task=question-answering", "data.template={{a}}"}},
    {"data.template", {"data.template={{a}}", "data.columns.text=body"}},
    {"data.columns.text_pair", {"model.task=fill-mask", "data.columns.text_pair=b"}},
    {"data.doc_stride", {"model.task=question-answering", "data.doc_stride=128"}},
    {"data.mlm_probability", {"data.mlm_probability=0.3"}},
    {"data.columns.tags", {"data.columns.tags=tags"}},
    {"training.class_weights", {"training.class_weights=balanced", "data.labels=regression"}},
    {"training.class_weights", {"training.class_weights={}"}},
    {"training.label_smoothing_factor", {"training.label_smoothing_factor=0.1", "data.labels=multi"}},
    {"training.sgd_momentum", {"training.sgd_momentum=0.9"}},
    {"training.adam_beta2", {"training.optim=sgd", "training.adam_beta2=0.98"}},
    {"training.warmup_steps", {"training.lr_scheduler_type=constant", "training.warmup_steps=10"}},
    {"training.lr_scheduler_kwargs", {"training.lr_scheduler_kwargs={\"power\":2}"}},
    {"seeds", {"seeds=[3,4,3]"}},
    {"training.predict_with_generate", {"training.predict_with_generate=true"}},
    {"generation.num_beams", {"generation_num_beams=1"}},
    {"early_stopping.metric", {"model.task=text-generation", kHoldout, "early_stopping.metric=eval_rougeL"}},
    {"early_stopping.mode",
     {"model.task=text-generation", kHoldout, "predict_with_generate=true",
      "early_stopping={\"mode\":\"min\",\"metric\":\"eval_chrf++\"}"}},
    {"output_dir", {"output_dir=base"}},
    {"output_dir", {"output_dir=./base/out/"}},
    {"overwrite_output_dir", {"overwrite_output_dir=true", "model.path=runs/x/best"}},
    {"overwrite_output_dir", {"overwrite_output_dir=true", "data.train=runs/x/a.jsonl"}},
};

/// The smallest configuration with overrides, before the rules are asked.
job::RunOptions unchecked(const Overrides& overrides) {
  job::RunOptions options;
  const auto table = option_table(options);
  Reader reader(table, "run.json");
  reader.add_file(Json::parse(kSmallest));
  for (const auto& text : overrides) reader.add_override(text);
  reader.fill();
  derive_defaults(options, reader.given());
  return options;
}

}  // namespace

TEST_CASE("settings that contradict each other are refused, with the one to blame", "[config]") {
  for (const Case& one : kContradictions) {
    INFO(one.key << " with --set " << join(one.overrides, " --set "));
    const auto problems = problems_of(kSmallest, one.overrides);
    for (const auto& problem : problems) INFO(problem.key << ": " << problem.what);
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().key == one.key);
    CHECK(problems.front().file == "run.json");
    CHECK_FALSE(problems.front().hint.empty());
  }
}

TEST_CASE("a link does not hide that an input lies where the output goes", "[config]") {
  const attune::testing::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "runs");
  std::filesystem::create_directory_symlink("runs", folder / "link");
  const auto keys = [&](const Overrides& overrides) {
    std::vector<std::string> keys;
    for (const auto& problem : problems_of(kSmallest, overrides)) keys.push_back(problem.key);
    return keys;
  };
  const std::string output = "output_dir=" + folder.path() + "/link", overwrite = "overwrite_output_dir=true";
  CHECK(keys({output, overwrite, "data.train=" + folder.path() + "/runs/a.jsonl"}) == std::vector<std::string>{"overwrite_output_dir"});
  CHECK(keys({output, overwrite, "data.train=" + folder.path() + "/runs2/a.jsonl"}).empty());
  CHECK(keys({output, "model.path=" + folder.path() + "/runs"}) == std::vector<std::string>{"output_dir"});
}

TEST_CASE("an unknown metric is refused with the nearest name and the task's list", "[config]") {
  const auto problems = problems_of(kSmallest, {kHoldout, "early_stopping.metric=eval_acuracy", "data.labels=multi"});
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].what == "text-classification has no metric 'eval_acuracy'");
  CHECK(
      problems[0].hint ==
      "did you mean 'eval_accuracy'? the metrics are eval_loss, eval_accuracy, eval_f1, eval_f1_macro, eval_f1_micro, "
      "eval_f1_weighted, eval_f1_samples, eval_precision_macro, eval_recall_macro, eval_precision_micro, "
      "eval_recall_micro, eval_roc_auc, eval_pr_auc, eval_subset_accuracy, eval_hamming_loss");
}

TEST_CASE("settings that make sense together are taken", "[config]") {
  const std::vector<Overrides> cases = {
      {kHoldout, "early_stopping.patience=2", "training.save_strategy=best", "training.eval_on_start=true"},
      {"data.validation=b.jsonl", "data.test=c.jsonl", "early_stopping={}"},
      {"data.prompts=p.json", "data.wording=short", "model.task=fill-mask", kHoldout, "early_stopping.metric=f1_macro"},
      {"data.prompts=p.json", "data.train_wordings=[\"a\",\"b\"]", "data.wording=c", "model.task=fill-mask"},
      {"data.prompts=p.json", "data.train_wordings=*", "model.task=fill-mask", "tuning.self_training={\"rounds\":3}", "unlabeled_file=u.jsonl"},
      {"data.prompts=p.json", "model.task=text-generation", "prompting.answer=text", kHoldout, "predict_with_generate=true"},
      {"data.prompts=p.json", "model.task=fill-mask", "cross_validation={}", "data.positive_label=a"},
      {"cross_validation={}", "early_stopping={}", "data.test=c.jsonl", "seeds=[1,2,3]"},
      {"cross_validation={\"inner_validation\":0}"},
      {"cross_validation={\"repeats\":3}"},
      {"cross_validation={\"group_column\":\"patient\"}"},
      {"cross_validation={\"folds\":4}", "data.columns.time=seen", "early_stopping={}"},
      {"cross_validation={\"repeats\":3,\"by_time\":false}", "data.columns.time=seen"},
      {kHoldout, "early_stopping.metric=roc_auc"},
      {kHoldout, "data.columns.group=patient"},
      {kHoldout, "data.columns.time=date", "data.labels=regression"},
      {kHoldout, "training.eval_strategy=steps", "training.eval_steps=0.25"},
      {"tuning.method=freeze", "freeze_trainable_layers=2"},
      {"tuning.method=lora", "lora_rank=4", "lora_target=[\"query\"]", "tuning.lora.init_lora_weights=true"},
      {"tuning.method=lora", "tuning.lora={\"target_modules\":\"all-linear\",\"layers_to_transform\":1,\"rank_pattern\":{\"query\":2}}"},
      {"tuning.method=ia3", "tuning.ia3={\"target_modules\":\"all-linear\",\"feedforward_modules\":\".*output.dense\"}"},
      {"tuning.method=prompt_tuning", "tuning.prompt_tuning={\"prompt_tuning_init\":\"TEXT\",\"prompt_tuning_init_text\":\"hello\"}"},
      {"tuning.method=prompt_tuning", "tuning.prompt_tuning={\"init_from\":\"asked\",\"tokenizer_name_or_path\":\"base\"}"},
      {"tuning.method=prompt_tuning", "tuning.prompt_tuning={\"init_from\":\"asked\",\"prompt_tuning_init\":\"TEXT\"}"},
      {"tuning.method=p_tuning", "tuning.p_tuning={\"encoder_reparameterization_type\":\"LSTM\",\"encoder_num_layers\":3}"},
      {"tuning.method=prefix_tuning", "tuning.prefix_tuning={\"prefix_projection\":true,\"encoder_hidden_size\":8}"},
      {"tuning.method=freeze", "tuning.freeze={\"layers\":\"0-3,5\",\"embeddings\":false}"},
      {"tuning.method=freeze", "tuning.freeze.embeddings=true", "training.frozen_dropout=true"},
      {"training.lr_scheduler_type=polynomial", "training.lr_scheduler_kwargs={\"power\":2,\"lr_end\":0}"},
      {"training.optim=sgd", "training.sgd_momentum=0.9"},
      {"model.task=question-answering", "data.max_length=384", "data.doc_stride=128"},
      {"model.task=fill-mask", "data.template={{a}}", "data.mlm_probability=0.3"},
      {"training.tokens_per_batch=4096", "training.train_sampling_strategy=sequential"},
      {"training.batch_by=tokens", "mini_batch_words=4096", "gradient_accumulation_steps=4"},
      {"training.batch_by=rows", "training.per_device_train_batch_size=16"},
      {"cost={\"price_per_hour\":2.5,\"currency\":\"EUR\",\"measure_rate\":true}"},
      {"cost={\"price_per_kwh\":0.3,\"measure_rate\":\"auto\"}"},
      {"output_dir=base-tuned"},
      {"model.dtype=bfloat16", "training.bf16=true"},
      {"model.dtype=float16", "model.init=random", "training.bf16=auto"},
      {"output_dir=runs", "model.path=runs/earlier/best"},
      {kHoldout, "early_stopping={\"mode\":\"max\",\"metric\":\"eval_f1_macro\"}"},
      {kHoldout, "training.eval_strategy=no", "metric_for_best_model=accuracy", "seeds=[1,2]"},
      {"model.task=text-generation", kHoldout, "predict_with_generate=true", "metric_for_best_model=bleu",
       "generation={\"max_new_tokens\":9,\"num_beams\":1,\"early_stopping\":true,\"stop_strings\":\"x\"}"},
  };
  for (const Overrides& overrides : cases) {
    INFO("--set " << join(overrides, " --set "));
    for (const auto& problem : problems_of(kSmallest, overrides)) FAIL_CHECK(problem.key << ": " << problem.what);
  }
}

TEST_CASE("a block generation that is switched off is no contradiction, and told of where the command gives it", "[config]") {
  const std::string task = R"("model": {"path": "base", "task": "text-generation"}, "data": {"train": "a.jsonl"}, "output_dir": "runs/x")";
  const std::string block = R"(, "generation": {"max_new_tokens": 9, "num_beams": 2})";
  const std::string off = R"(, "training": {"predict_with_generate": false})", on = R"(, "training": {"predict_with_generate": true})";
  const auto notes = [&](const std::string& more, const Overrides& overrides = {}) {
    std::vector<std::string> notes = parse("{" + task + more + "}", "run.json", overrides).notes;
    std::erase_if(notes, [](const std::string& note) { return note.find("has no effect") == std::string::npos; });
    return notes;
  };
  const std::vector<std::string> told = {"generation.max_new_tokens has no effect while training.predict_with_generate is false"};
  CHECK(notes(block) == told);  // of several keys one is named
  CHECK(notes(off, {"generation.max_new_tokens=9"}) == told);
  CHECK(notes(block + off).empty());
  CHECK(notes(block + on, {"predict_with_generate=false"}).empty());
  CHECK(notes(block + on).empty());
  CHECK(parse("{" + task + block + on + "}", "run.json", {"predict_with_generate=false"}).options.generation.values.max_new_tokens == 9);
}

TEST_CASE("a metric of generated texts without any is refused with both keys", "[config]") {
  for (const char* key : {"early_stopping.metric", "training.metric_for_best_model"}) {
    const auto problems = problems_of(kSmallest, {"model.task=text-generation", kHoldout, std::string(key) + "=rougeL"});
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].key == key);
    CHECK(problems[0].hint == "set training.predict_with_generate to true, or name another metric");
  }
}

TEST_CASE("what needs evaluations names eval_strategy where that is no", "[config]") {
  for (const char* setting : {"early_stopping.patience=2", "training.load_best_model_at_end=true", "metric_for_best_model=eval_loss"}) {
    const auto problems = problems_of(kSmallest, {kHoldout, "training.eval_strategy=no", setting});
    REQUIRE(problems.size() == 1);
    INFO(problems[0].what);
    CHECK(problems[0].what.find("training.eval_strategy is \"no\"") != std::string::npos);
  }
}

TEST_CASE("defaults that follow from other options are resolved, and never change what was given", "[config]") {
  CHECK(options_with({}).training.eval_strategy == "no");
  CHECK_FALSE(options_with({}).training.load_best_model_at_end);
  CHECK(options_with({kHoldout}).training.eval_strategy == "epoch");
  CHECK(options_with({kHoldout}).training.load_best_model_at_end);
  CHECK_FALSE(options_with({kHoldout, "training.eval_strategy=no"}).training.load_best_model_at_end);
  CHECK(options_with({"cross_validation={}"}).training.eval_strategy == "epoch");
  CHECK(options_with({}).training.batch_by == "rows");
  CHECK(options_with({"tokens_per_batch=512"}).training.batch_by == "tokens");
  CHECK(options_with({}).data.split == "stratified");
  CHECK(options_with({"data.columns.time=t"}).data.split == "time");
  CHECK(options_with({"data.columns.time=t", "data.columns.group=g"}).data.split == "group");
  CHECK(options_with({"model.task=fill-mask"}).data.split == "random");
  CHECK(options_with({"cross_validation={}", "data.columns.group=g"}).cross_validation.group_column == "g");
  CHECK(options_with({"cross_validation.group_column=g"}).data.columns.group == "g");
  CHECK(options_with({"cross_validation.group_column=null", "data.columns.group=g"}).cross_validation.group_column ==
        "g");
  CHECK(options_with({"cross_validation={}"}).cross_validation.stratify);
  CHECK_FALSE(options_with({"cross_validation={}", "data.labels=regression"}).cross_validation.stratify);
  CHECK_FALSE(options_with({"cross_validation.stratify=false"}).cross_validation.stratify);
  CHECK(options_with({"cross_validation={}", "data.columns.time=t"}).cross_validation.by_time);
  CHECK_FALSE(options_with({"cross_validation={}", "data.columns.time=t"}).cross_validation.stratify);
  CHECK_FALSE(options_with({"cross_validation={}"}).cross_validation.by_time);
  CHECK_FALSE(options_with({"cross_validation.group_column=g", "data.columns.time=t"}).cross_validation.by_time);
}

TEST_CASE("contrastive tuning trains as SetFit does where nothing else is said", "[config]") {
  const auto training = options_with({"tuning.method=contrastive"}).training;
  CHECK(training.num_train_epochs == 1);
  CHECK(training.per_device_train_batch_size == 16);
  CHECK(training.learning_rate == 2e-5);
  CHECK(training.warmup_steps == 0.1);
  CHECK(training.weight_decay == 0.01);
  const auto given = options_with({"tuning.method=contrastive", "learning_rate=1e-3", "num_epochs=4"}).training;
  CHECK(given.learning_rate == 1e-3);
  CHECK(given.num_train_epochs == 4);
  CHECK(options_with({"tuning.method=prototype"}).training.learning_rate == 5e-5);
  CHECK(options_with({"tuning.method=contrastive", kHoldout}).training.eval_strategy == "no");
  CHECK(options_with({"tuning.method=prototype", "cross_validation={}"}).cross_validation.inner_validation == 0);
  CHECK(options_with({"cross_validation={}"}).cross_validation.inner_validation == 0.1);
}

TEST_CASE("how batches are counted is what --set says, and within one layer a contradiction", "[config]") {
  const auto config = [](const std::string& training) {
    return R"({"model": {"path": "base"}, "data": {"train": "a.jsonl"}, "output_dir": "runs/x", "training": {)" + training + "}}";
  };
  const std::string by_rows = config(R"("batch_by": "rows", "per_device_train_batch_size": 32)");
  const Loaded tokens = parse(by_rows, "run.json", {"tokens_per_batch=500"});
  CHECK(tokens.options.training.batch_by == "tokens");
  CHECK(tokens.options.training.tokens_per_batch == 500);
  const std::string dropped = "training.tokens_per_batch takes the place of training.per_device_train_batch_size and training.batch_by in run.json";
  CHECK(tokens.notes.back() == "--set: " + dropped);
  const std::string by_tokens = config(R"("batch_by": "tokens", "tokens_per_batch": 500)");
  const Loaded rows = parse(by_tokens, "run.json", {"per_device_train_batch_size=4"});
  CHECK(rows.options.training.batch_by == "rows");
  CHECK(rows.options.training.per_device_train_batch_size == 4);
  CHECK_FALSE(rows.options.training.tokens_per_batch);
  CHECK(parse(by_tokens, "run.json", {"training.tokens_per_batch=800"}).options.training.tokens_per_batch == 800);
  CHECK(parse(by_rows, "run.json", {"training.tokens_per_batch=null"}).options.training.per_device_train_batch_size == 32);

  const auto blamed = [](const std::string& text, const Overrides& overrides) {
    const auto problems = problems_of(text, overrides);
    return problems.size() == 1 ? problems.front().key : "";
  };
  CHECK(blamed(config(R"("tokens_per_batch": 500, "per_device_train_batch_size": 32)"), {}) == "training.per_device_train_batch_size");
  CHECK(blamed(by_rows, {"tokens_per_batch=500", "training.batch_by=rows"}) == "training.tokens_per_batch");
}

TEST_CASE("a GPU is taken where the build and the machine have it, and refused with what is missing", "[config]") {
  const auto problem = [](const std::string& device, const Machine& machine) {
    const auto violations = broken_rules(unchecked({"device=" + device}), machine);
    return violations.empty() ? std::string() : violations.front().what + "; " + violations.front().hint;
  };
  const Machine gpus = {.has_cuda = true, .cuda_devices = 2}, no_gpu = {.has_cuda = true}, cpu_build = {};
  for (const char* device : {"auto", "cpu"}) {
    for (const Machine& machine : {gpus, no_gpu, cpu_build}) CHECK(problem(device, machine).empty());
  }
  for (const char* device : {"cuda", "cuda:0", "cuda:1"}) {
    CHECK(problem(device, gpus).empty());
    CHECK(problem(device, no_gpu).find("no GPU") != std::string::npos);
    CHECK(problem(device, cpu_build).find("built without CUDA; set it to \"auto\"") != std::string::npos);
  }
  CHECK(problem("cuda:2", gpus).find("cuda:0 to cuda:1") != std::string::npos);
}

TEST_CASE("rules and derived defaults speak of keys that exist", "[config]") {
  job::RunOptions defaults;
  const auto table = option_table(defaults);
  for (const auto& key : derived_keys()) CHECK(find_option(table, key) != nullptr);
  for (const Case& one : kContradictions) {
    const auto violations = broken_rules(unchecked(one.overrides), {});
    REQUIRE(violations.size() == 1);
    for (const auto& key : violations.front().keys) {
      INFO(one.key << " names " << key);
      CHECK(find_option(table, key) != nullptr);
    }
  }
}
