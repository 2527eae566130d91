// libFuzzer target: a data set. The first byte chooses the form and what rows are read as; the rest is the file. What
// is accepted must have valid text and labels that the label map finds again.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "attune/base/error.h"
#include "attune/base/utf8.h"
#include "attune/data/labels.h"
#include "attune/data/read.h"
#include "input_folder.h"

namespace {

using namespace attune;

constexpr std::array<const char*, 4> kNames{"rows.jsonl", "rows.csv", "rows.tsv", "rows.txt"};
constexpr std::array<data::RowKind, 4> kKinds{data::RowKind::classification, data::RowKind::token_labels,
                                              data::RowKind::masked_lm, data::RowKind::span_qa};

/// Bits 0-1: form; 2-3: kind of rows; 4: skip bad rows; 5: template; 6: labels optional; 7: all columns named.
data::DataOptions options_of(unsigned char bits) {
  data::DataOptions options;
  options.on_bad_row = (bits & 16) != 0 ? "skip" : "error";
  if ((bits & 32) != 0) options.template_text = "{{text}} at {{place}}";
  if ((bits & 128) != 0) {
    options.columns.text_pair = "pair";
    options.columns.weight = "weight";
    options.columns.group = "group";
    options.columns.time = "time";
    options.columns.id = "id";
  }
  return options;
}

void check_text(const std::string& text) {
  if (find_invalid_utf8(text)) std::abort();
}

void check(const std::vector<data::Example>& examples) {
  for (const data::Example& example : examples) {
    check_text(example.text);
    check_text(*example.text_pair);
    check_text(example.id);
    check_text(*example.group);
    for (const std::string& word : example.words) check_text(word);
    for (const std::int32_t id : example.input_ids) {
      if (id < 0) std::abort();
    }
    if (!(example.weight >= 0)) std::abort();
    const auto* tags = std::get_if<data::TokenTags>(&example.target);
    if (tags != nullptr && tags->tags.size() != example.words.size()) std::abort();
  }
  const data::LabelMap labels = data::collect_labels(examples);
  for (const data::Example& example : examples) {
    if (labels.kind == data::TargetKind::single) data::class_id(labels, example);
    if (labels.kind == data::TargetKind::multi) data::multi_hot(labels, example);
    if (labels.kind == data::TargetKind::tags) data::tag_ids(labels, example);
    if (labels.kind == data::TargetKind::value) data::value_of(example);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const fuzz::InputFolder folder;
  const unsigned char bits = data[0];
  const std::string path = folder.write(kNames[bits & 3], {reinterpret_cast<const char*>(data + 1), size - 1});
  data::ReadReport report;
  const auto need = (bits & 64) != 0 ? data::LabelNeed::optional : data::LabelNeed::required;
  try {
    check(data::read_examples({path}, options_of(bits), kKinds[bits >> 2 & 3], report, need));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data && error.kind() != ErrorKind::usage) std::abort();
  }
  return 0;
}
