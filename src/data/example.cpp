// See example.h: rows as bytes. What a row leaves empty takes a bit.
#include "attune/data/example.h"

namespace attune::data {

namespace {

/// Calls visit(member) for what most rows leave empty, in one order for all that use it.
template <class AnyExample, class Visitor>
void visit_rare(AnyExample& example, Visitor visit) {
  visit(example.group);
  visit(example.time);
  visit(example.text_pair);
  visit(example.messages);
  visit(example.tools);
  visit(example.columns);
  visit(example.words);
  visit(example.input_ids);
  visit(example.token_type_ids);
}

template <class AnyExample, class Visitor>
void visit_flags(AnyExample& example, Visitor visit) {
  visit(example.has_pair);
  visit(example.awaits_answer);
  visit(example.has_empty_answer);
  visit(example.label_is_number);
}

struct TargetPacker {
  files::Packer& packer;
  void operator()(std::monostate) const {}
  void operator()(const ClassLabel& label) const { packer.text(label.name); }
  void operator()(const LabelSet& set) const { packer.list(set.names); }
  void operator()(const Value& value) const { packer.real(value.value); }
  void operator()(const TokenTags& tags) const { packer.list(tags.tags); }
  void operator()(const Answers& answers) const {
    packer.integer(static_cast<std::int64_t>(answers.answers.size()));
    for (const Answer& answer : answers.answers) packer.text(answer.text).integer(answer.start);
  }
};

struct TargetUnpacker {
  files::Unpacker& packed;
  void operator()(std::monostate) const {}
  void operator()(ClassLabel& label) const { label.name = packed.text(); }
  void operator()(LabelSet& set) const { packed.list(set.names); }
  void operator()(Value& value) const { value.value = packed.real(); }
  void operator()(TokenTags& tags) const { packed.list(tags.tags); }
  void operator()(Answers& answers) const {
    answers.answers.resize(packed.count(2));
    for (Answer& answer : answers.answers) {
      answer.text = packed.text();
      answer.start = packed.integer();
    }
  }
};

Target empty_target(std::int64_t index) {
  switch (index) {
    case 0:
      return std::monostate();
    case 1:
      return ClassLabel();
    case 2:
      return LabelSet();
    case 3:
      return Value();
    case 4:
      return TokenTags();
    default:
      return Answers();
  }
}
static_assert(std::variant_size_v<Target> == 6);

void pack_value(const std::string& text, files::Packer& packer) {
  packer.text(text);
}
template <class T>
void pack_value(const std::vector<T>& values, files::Packer& packer) {
  packer.list(values);
}
void unpack_value(files::Unpacker& packed, std::string& text) {
  text = packed.text();
}
template <class T>
void unpack_value(files::Unpacker& packed, std::vector<T>& values) {
  packed.list(values);
}

std::size_t bytes_of(const std::string& text) {
  static const std::size_t kInside = std::string().capacity();
  return text.capacity() > kInside ? text.capacity() : 0;
}
template <class T>
std::size_t bytes_of(const std::vector<T>& values) {
  return values.capacity() * sizeof(T);
}

struct TargetBytes {
  std::size_t operator()(std::monostate) const { return 0; }
  std::size_t operator()(const ClassLabel& label) const { return bytes_of(label.name); }
  std::size_t operator()(const LabelSet& set) const { return bytes_of(set.names); }
  std::size_t operator()(const Value&) const { return 0; }
  std::size_t operator()(const TokenTags& tags) const { return bytes_of(tags.tags); }
  std::size_t operator()(const Answers& answers) const { return bytes_of(answers.answers); }
};

}  // namespace

void pack(const Example& example, files::Packer& packer) {
  std::int64_t flags = 0, bit = 1;
  const auto add = [&](bool flag) {
    if (flag) flags |= bit;
    bit <<= 1;
  };
  visit_rare(example, [&](const auto& member) { add(!member.empty()); });
  visit_flags(example, add);
  add(example.weight != 1.0);
  packer.integer(flags)
      .integer(example.row)
      .shared(example.origin.file)
      .integer(example.origin.line)
      .text(example.id)
      .text(example.text);
  packer.integer(example.prompt_messages);
  visit_rare(example, [&](const auto& member) {
    if (!member.empty()) pack_value(*member, packer);
  });
  if (example.weight != 1.0) packer.real(example.weight);
  packer.integer(static_cast<std::int64_t>(example.target.index()));
  std::visit(TargetPacker{packer}, example.target);
}

void unpack(files::Unpacker& packed, Example& example) {
  std::int64_t flags = packed.integer();
  const auto next_flag = [&] {
    const bool flag = (flags & 1) != 0;
    flags >>= 1;
    return flag;
  };
  example.row = packed.integer();
  example.origin.file = packed.shared();
  example.origin.line = packed.integer();
  example.id = packed.text();
  example.text = packed.text();
  example.prompt_messages = static_cast<std::uint32_t>(packed.integer());
  visit_rare(example, [&](auto& member) {
    if (next_flag()) {
      unpack_value(packed, member.edit());
    } else {
      member.reset();
    }
  });
  visit_flags(example, [&](bool& flag) { flag = next_flag(); });
  example.weight = next_flag() ? packed.real() : 1.0;
  const std::int64_t kind = packed.integer();
  if (kind != static_cast<std::int64_t>(example.target.index())) example.target = empty_target(kind);
  std::visit(TargetUnpacker{packed}, example.target);
}

std::size_t memory_of(const Example& example) {
  std::size_t bytes =
      sizeof(Example) + bytes_of(example.id) + bytes_of(example.text) + std::visit(TargetBytes(), example.target);
  visit_rare(example, [&](const auto& member) {
    if (member) bytes += sizeof(*member) + bytes_of(*member);
  });
  return bytes;
}

}  // namespace attune::data
