// See task.h: rows as bytes. What a row leaves empty takes a bit.
#include "attune/files/packed.h"
#include "attune/task/task.h"

namespace attune::task {

namespace {

/// Calls visit(member) for the lists that only some tasks have, in one order for all that use it.
template <class AnyEncoded, class Visitor>
void visit_lists(AnyEncoded& row, Visitor visit) {
  visit(row.type_ids);
  visit(row.targets);
  visit(row.token_labels);
  visit(row.maskable);
  visit(row.word_ids);
}

/// Numbers that most rows leave as they are.
template <class AnyEncoded, class Visitor>
void visit_numbers(AnyEncoded& row, Visitor visit) {
  visit(row.window, 0);
  visit(row.label, nn::kIgnoreIndex);
  visit(row.end, nn::kIgnoreIndex);
  visit(row.cut, 0);
}

void pack_prompt(const AnswerPrompt& prompt, files::Packer& packer) {
  packer.list(prompt.ids).integer(prompt.reference ? 1 : 0).integer(prompt.is_chat ? 1 : 0).integer(prompt.cut);
  if (prompt.reference) packer.text(*prompt.reference);
}

void unpack_prompt(files::Unpacker& packed, AnswerPrompt& prompt) {
  packed.list(prompt.ids);
  const bool has_reference = packed.integer() != 0;
  prompt.is_chat = packed.integer() != 0;
  prompt.cut = packed.integer();
  prompt.reference.reset();
  if (has_reference) prompt.reference = packed.text();
}

/// Pairs one after another.
void pack_offsets(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& offsets, files::Packer& packer) {
  packer.integer(static_cast<std::int64_t>(offsets.size()));
  for (const auto& [begin, end] : offsets) packer.integer(begin).integer(end);
}

void unpack_offsets(files::Unpacker& packed, std::vector<std::pair<std::uint32_t, std::uint32_t>>& offsets) {
  offsets.resize(packed.count(2));
  for (auto& [begin, end] : offsets) {
    begin = static_cast<std::uint32_t>(packed.integer());
    end = static_cast<std::uint32_t>(packed.integer());
  }
}

void pack_answers(const AnswerTexts& answers, files::Packer& packer) {
  packer.integer(static_cast<std::int64_t>(answers.texts.size())).integer(answers.longest);
  for (const AnswerText& text : answers.texts) {
    packer.list(text.ids).list(text.places).list(text.answers).list(text.tokens);
  }
}

void unpack_answers(files::Unpacker& packed, AnswerTexts& answers) {
  answers.texts.resize(packed.count(4));
  answers.longest = packed.integer();
  for (AnswerText& text : answers.texts) {
    for (auto* list : {&text.ids, &text.places, &text.answers, &text.tokens}) packed.list(*list);
  }
}

std::size_t memory_of_answers(const AnswerTexts& answers) {
  std::size_t bytes = sizeof(AnswerTexts);
  for (const AnswerText& text : answers.texts) {
    const std::size_t numbers =
        text.ids.capacity() + text.places.capacity() + text.answers.capacity() + text.tokens.capacity();
    bytes += sizeof(AnswerText) + numbers * sizeof(std::int32_t);
  }
  return bytes;
}

}  // namespace

void pack(const Encoded& row, files::Packer& packer) {
  std::int64_t flags = 0, bit = 1;
  const auto add = [&](bool flag) {
    if (flag) flags |= bit;
    bit <<= 1;
  };
  visit_lists(row, [&](const auto& list) { add(!list.empty()); });
  visit_numbers(row, [&](std::int64_t number, std::int64_t usual) { add(number != usual); });
  add(row.weight != 1.0);
  add(row.joined);
  add(static_cast<bool>(row.prompt));
  add(!row.offsets.empty());
  add(static_cast<bool>(row.answers));
  packer.integer(flags).integer(row.example).integer(row.row).list(row.ids).list(row.learned);
  visit_lists(row, [&](const auto& list) {
    if (!list.empty()) packer.list(*list);
  });
  visit_numbers(row, [&](std::int64_t number, std::int64_t usual) {
    if (number != usual) packer.integer(number);
  });
  if (row.weight != 1.0) packer.real(row.weight);
  if (row.prompt) pack_prompt(*row.prompt, packer);
  if (!row.offsets.empty()) pack_offsets(*row.offsets, packer);
  if (row.answers) pack_answers(*row.answers, packer);
}

void unpack(files::Unpacker& packed, Encoded& row) {
  std::int64_t flags = packed.integer();
  const auto next_flag = [&] {
    const bool flag = (flags & 1) != 0;
    flags >>= 1;
    return flag;
  };
  row.example = packed.integer();
  row.row = packed.integer();
  packed.list(row.ids);
  packed.list(row.learned);
  visit_lists(row, [&](auto& list) {
    if (next_flag()) {
      packed.list(list.edit());
    } else {
      list.reset();
    }
  });
  visit_numbers(row,
                [&](std::int64_t& number, std::int64_t usual) { number = next_flag() ? packed.integer() : usual; });
  row.weight = next_flag() ? packed.real() : 1.0;
  row.joined = next_flag();
  row.prompt.reset();
  if (next_flag()) unpack_prompt(packed, row.prompt.edit());
  row.offsets.reset();
  if (next_flag()) unpack_offsets(packed, row.offsets.edit());
  row.answers.reset();
  if (next_flag()) unpack_answers(packed, row.answers.edit());
}

std::size_t memory_of(const Encoded& row) {
  const auto bytes_of = [](const auto& list) { return list.capacity() * sizeof(list.front()); };
  std::size_t bytes = sizeof(Encoded) + bytes_of(row.ids) + bytes_of(row.learned);
  visit_lists(row, [&](const auto& list) {
    if (list) bytes += sizeof(*list) + bytes_of(*list);
  });
  if (row.offsets) bytes += sizeof(*row.offsets) + bytes_of(*row.offsets);
  if (row.prompt) bytes += sizeof(*row.prompt) + bytes_of(row.prompt->ids);
  if (row.answers) bytes += memory_of_answers(*row.answers);
  return bytes;
}

std::vector<std::uint32_t> lengths_of(const files::ListView<Encoded>& rows) {
  std::vector<std::uint32_t> lengths;
  lengths.reserve(rows.size());
  rows.for_each([&](const Encoded& row) { lengths.push_back(static_cast<std::uint32_t>(row.ids.size())); });
  return lengths;
}

}  // namespace attune::task
