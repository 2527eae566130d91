// Rows that lie in a file are the rows that were encoded.
#include <string>
#include <vector>

#include "attune/files/packed.h"
#include "attune/task/task.h"
#include "catch.h"

namespace {

using namespace attune;
using task::Encoded;

Encoded full_row() {
  Encoded row;
  row.example = 5;
  row.row = 6;
  row.window = 2;
  row.ids = {3, 70000, 1};
  row.type_ids = std::vector<std::int32_t>{0, 1, 1};
  row.weight = 0.5;
  row.label = 3;
  row.end = 4;
  row.targets = std::vector<float>{0, 1.5F};
  row.token_labels = std::vector<std::int32_t>{-100, 2, 1};
  row.maskable = std::vector<std::uint8_t>{0, 1, 1};
  row.learned = {0, 1, 0};
  row.cut = 9;
  row.prompt.edit() = {.ids = {4, 5}, .reference = "an answer", .is_chat = true, .cut = 2};
  row.joined = true;
  row.answers.edit() = {.texts = {{.ids = {3, 4}, .places = {1}, .answers = {0, 2}, .tokens = {7, 8}}, {.ids = {3, 4, 5}, .places = {}, .answers = {}, .tokens = {}}}, .longest = 4};
  row.offsets = std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 0}, {2, 5}};
  row.word_ids = std::vector<std::int32_t>{-1, 0, 1};
  return row;
}

void check_equal(const Encoded& a, const Encoded& b) {
  CHECK(a.example == b.example);
  CHECK(a.row == b.row);
  CHECK(a.window == b.window);
  CHECK(a.ids == b.ids);
  CHECK(a.type_ids == b.type_ids);
  CHECK(a.weight == b.weight);
  CHECK(a.label == b.label);
  CHECK(a.end == b.end);
  CHECK(a.targets == b.targets);
  CHECK(a.token_labels == b.token_labels);
  CHECK(a.maskable == b.maskable);
  CHECK(a.learned == b.learned);
  CHECK(a.cut == b.cut);
  CHECK(a.joined == b.joined);
  CHECK((a.answers->texts == b.answers->texts));
  CHECK(a.answers->longest == b.answers->longest);
  CHECK(*a.offsets == *b.offsets);
  CHECK(a.word_ids == b.word_ids);
  REQUIRE(static_cast<bool>(a.prompt) == static_cast<bool>(b.prompt));
  CHECK(a.prompt->ids == b.prompt->ids);
  CHECK(a.prompt->reference == b.prompt->reference);
  CHECK(a.prompt->is_chat == b.prompt->is_chat);
  CHECK(a.prompt->cut == b.prompt->cut);
}

}  // namespace

TEST_CASE("a packed row for the model has every member and forgets the one that was unpacked before it", "[task][long_list]") {
  Encoded plain, awaiting = full_row();
  plain.ids = {1};
  awaiting.prompt.edit().reference.reset();
  files::SharedTexts shared;
  Encoded unpacked;
  for (const Encoded& row : {full_row(), plain, awaiting, Encoded(), full_row()}) {
    std::string bytes;
    files::Packer packer(bytes, shared);
    pack(row, packer);
    files::Unpacker packed(bytes, shared);
    unpack(packed, unpacked);
    check_equal(unpacked, row);
  }
}
