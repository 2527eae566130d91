// Reading a safetensors header: the JSON events become a list of claims, which are then checked against the bytes that
// exist.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/files/safetensors.h"
#include "foreign_format.h"

namespace attune::files {

namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::size_t kMaxTensors = 1'000'000;
constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::size_t kMaxRank = 64;
constexpr std::string_view kMetadata = "__metadata__";

[[noreturn]] void fail(const std::string& file, std::string what, std::string where = "", std::string hint = "") {
  throw Error(ErrorKind::model,
              {.file = file, .what = std::move(what), .where = std::move(where), .hint = std::move(hint)});
}

std::optional<Dtype> dtype_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Dtype::U64); ++i) {
    if (name == dtype_name(static_cast<Dtype>(i))) return static_cast<Dtype>(i);
  }
  return std::nullopt;
}

/// Takes the events of {name: {"dtype", "shape", "data_offsets"}, "__metadata__": {string: string}}; anything else is
/// an error.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(SafetensorsHeader& header, const std::string& file) : header_(header), file_(file) {}

  bool start_object(std::size_t) override {
    switch (place_) {
      case Place::outside:
        place_ = Place::header;
        return true;
      case Place::header:
        return start_entry();
      default:
        wrong("an object");
    }
  }

  bool end_object() override {
    if (place_ == Place::entry) finish_tensor();
    place_ = place_ == Place::header ? Place::outside : Place::header;
    return true;
  }

  bool key(string_t& name) override {
    if (place_ == Place::header) {
      check_name(name);
    } else if (place_ == Place::metadata) {
      if (header_.metadata.contains(name)) fail(file_, concat("key '", name, "' is given twice"), "__metadata__");
    } else {
      const auto field = std::find(kFields.begin(), kFields.end(), name);
      if (field == kFields.end()) fail(file_, concat("unknown key '", name, "'"), tensor());
      bool& seen = seen_[static_cast<std::size_t>(field - kFields.begin())];
      if (std::exchange(seen, true)) fail(file_, concat("key '", name, "' is given twice"), tensor());
    }
    (place_ == Place::header ? name_ : key_) = name;
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) {
      header_.metadata.emplace(key_, value);
      return true;
    }
    if (place_ != Place::entry || key_ != "dtype") wrong("a string");
    const auto dtype = dtype_of(value);
    if (!dtype) fail(file_, concat("unknown dtype '", value, "'"), tensor());
    header_.tensors.back().dtype = *dtype;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::entry || key_ == "dtype") wrong("a list");
    place_ = Place::list;
    return true;
  }

  bool end_array() override {
    if (key_ == "data_offsets" && offsets_ != 2) {
      fail(file_, concat("data_offsets has ", offsets_, " numbers, expected 2"), tensor());
    }
    place_ = Place::entry;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::list) wrong("a number");
    TensorInfo& info = header_.tensors.back();
    if (key_ == "shape") {
      if (info.shape.size() == kMaxRank) fail(file_, concat("more than ", kMaxRank, " dimensions"), tensor());
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        fail(file_, concat("dimension ", value, " is too large"), tensor());
      }
      info.shape.push_back(static_cast<std::int64_t>(value));
    } else {
      if (offsets_ == 0) info.begin = value;
      if (offsets_ == 1) info.end = value;
      ++offsets_;
    }
    return true;
  }

  bool number_integer(number_integer_t value) override { not_a_size(concat(value)); }
  bool number_float(number_float_t, const string_t& spelling) override { not_a_size(spelling); }
  bool null() override { wrong("null"); }
  bool boolean(bool) override { wrong("a truth value"); }
  bool binary(binary_t&) override { wrong("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override {
    // Numbers beyond a double's range come here as well: they can only stand where a size should.
    if (error.id == 406) not_a_size("a number beyond all bounds");
    fail(file_, "the header is not valid JSON", concat("byte ", position + 7));
  }

 private:
  enum class Place { outside, header, metadata, entry, list };
  static constexpr std::array<std::string_view, 3> kFields{"dtype", "shape", "data_offsets"};

  std::string tensor() const { return concat("tensor '", name_, "'"); }

  void check_name(const std::string& name) const {
    if (name.size() > kMaxNameBytes) {
      fail(file_, concat("a tensor name has ", name.size(), " bytes, the limit is ", kMaxNameBytes),
           concat("tensor '", name.substr(0, 32), "…'"));
    }
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(name.begin(), name.end(), is_control)) {
      fail(file_, "a tensor name holds control characters", concat("tensor '", name, "'"));
    }
  }

  bool start_entry() {
    if (name_ == kMetadata) {
      if (std::exchange(metadata_seen_, true)) fail(file_, "__metadata__ is given twice");
      place_ = Place::metadata;
      return true;
    }
    if (header_.tensors.size() == kMaxTensors) fail(file_, concat("more than ", kMaxTensors, " tensors"));
    header_.tensors.push_back({.name = name_, .dtype = Dtype::F32, .shape = {}, .begin = 0, .end = 0});
    seen_ = {};
    offsets_ = 0;
    place_ = Place::entry;
    return true;
  }

  void finish_tensor() const {
    for (std::size_t i = 0; i < kFields.size(); ++i) {
      if (!seen_[i]) fail(file_, concat("'", kFields[i], "' is missing"), tensor());
    }
  }

  std::string where() const {
    if (place_ == Place::metadata) return concat("__metadata__.", key_);
    if (place_ == Place::entry || place_ == Place::list) return concat(key_, " of ", tensor());
    return name_ == kMetadata ? name_ : tensor();
  }

  [[noreturn]] void wrong(std::string_view found) const {
    if (place_ == Place::outside) fail(file_, "the header is not a JSON object", concat("found ", found));
    const std::string_view expected = place_ == Place::metadata ? "a string"
                                      : place_ == Place::header ? "an object"
                                      : place_ == Place::list   ? "a non-negative whole number"
                                      : key_ == "dtype"         ? "a string"
                                                                : "a list of numbers";
    fail(file_, concat("found ", found, ", expected ", expected), where());
  }

  [[noreturn]] void not_a_size(const std::string& spelling) const {
    if (place_ != Place::list) wrong("a number");
    fail(file_, concat("found ", spelling, ", expected a non-negative whole number"), where());
  }

  SafetensorsHeader& header_;
  const std::string& file_;
  Place place_ = Place::outside;
  std::string name_;  ///< of the open entry
  std::string key_;   ///< inside the open entry
  std::array<bool, 3> seen_{};
  int offsets_ = 0;
  bool metadata_seen_ = false;
};

/// The header's text, after the checks that need no JSON.
std::string_view header_text(std::span<const std::byte> file, const std::string& path) {
  const auto* begin = reinterpret_cast<const char*>(file.data());
  const std::string_view all(begin, file.size());
  if (const std::string foreign = describe_foreign_format(all); !foreign.empty()) throw_foreign_format(path, foreign);
  if (file.size() < 8)
    fail(path, concat("file has ", file.size(), " bytes, needs at least 8"), "", "download it again");

  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<std::uint64_t>(file[static_cast<std::size_t>(i)]);
  if (length > kMaxHeaderBytes) {
    fail(path, concat("header length ", length, " exceeds limit ", kMaxHeaderBytes), "", "is it a safetensors file?");
  }
  if (length > file.size() - 8) {
    fail(path, concat("header says ", length, " bytes, file has ", file.size(), ": truncated download?"), "",
         "download it again");
  }
  const std::string_view text = all.substr(8, length);
  if (const auto bad = find_invalid_utf8(text)) fail(path, "the header is not valid UTF-8", concat("byte ", *bad + 8));
  if (!text.starts_with('{')) fail(path, "the header is not a JSON object: its first byte must be '{'");
  // nlohmann takes a NUL byte for the end of the text.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    fail(path, "the header is not valid JSON: NUL byte", concat("byte ", nul + 8));
  }
  return text;
}

void check_names(const std::vector<TensorInfo>& tensors, const std::string& path) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const TensorInfo& info : tensors) names.push_back(info.name);
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
    fail(path, concat("tensor '", *twice, "' is listed twice"));
  }
}

/// Bytes that dtype and shape ask for.
std::uint64_t claimed_bytes(const TensorInfo& info, const std::string& path) {
  const std::string where = concat("tensor '", info.name, "'");
  std::uint64_t elements = 1;
  std::uint64_t extent = 1;  // as if no dimension were 0: strides are made of these products
  for (const std::int64_t size : info.shape) {
    const auto dimension = static_cast<std::uint64_t>(size);
    if (__builtin_mul_overflow(extent, std::max<std::uint64_t>(dimension, 1), &extent) || extent > INT64_MAX) {
      fail(path, "the product of the shape's numbers overflows 64 bits", where);
    }
    elements *= dimension;
  }
  std::uint64_t bits = 0;
  if (__builtin_mul_overflow(elements, static_cast<std::uint64_t>(dtype_bits(info.dtype)), &bits)) {
    fail(path, "the size in bits overflows 64 bits", where);
  }
  if (bits % 8 != 0) {
    fail(path, concat(elements, " elements of ", dtype_name(info.dtype), " are not a whole number of bytes"), where);
  }
  return bits / 8;
}

void check_size(const TensorInfo& info, const std::string& path) {
  const std::string where = concat("tensor '", info.name, "'");
  if (info.end < info.begin) {
    fail(path, concat("data_offsets end at ", info.end, ", before they begin at ", info.begin), where);
  }
  const std::uint64_t expected = claimed_bytes(info, path);
  if (info.end - info.begin != expected) {
    fail(path,
         concat("data_offsets span ", info.end - info.begin, " bytes, shape and dtype ", dtype_name(info.dtype),
                " need ", expected),
         where);
  }
}

/// Tensors must tile the data section: no hole, no overlap, nothing before, nothing after.
void check_tiling(const std::vector<TensorInfo>& tensors, std::uint64_t data_bytes, const std::string& path) {
  std::uint64_t reached = 0;
  const TensorInfo* previous = nullptr;
  for (const TensorInfo& info : tensors) {
    if (info.begin != reached) {
      const std::string before = previous == nullptr
                                     ? "the first tensor must begin at 0"
                                     : concat("tensor '", previous->name, "' before it ends at ", reached);
      const char* kind = info.begin < reached ? "overlap" : "hole";
      fail(path, concat("tensor '", info.name, "' begins at ", info.begin, ", but ", before), kind);
    }
    check_size(info, path);
    if (info.end > data_bytes) {
      fail(path,
           concat("data of tensor '", info.name, "' ends at byte ", info.end, " of the data section, which has ",
                  data_bytes, " bytes: truncated download?"),
           "", "download it again");
    }
    reached = info.end;
    previous = &info;
  }
  if (reached != data_bytes) {
    fail(path, concat(data_bytes - reached, " bytes follow the last tensor's data (polyglot file?)"), "",
         "get the file from its source again");
  }
}

}  // namespace

SafetensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& path) {
  const std::string_view text = header_text(file, path);
  SafetensorsHeader header{};
  HeaderReader reader(header, path);
  nlohmann::json::sax_parse(text, &reader);
  header.data_start = 8 + text.size();
  check_names(header.tensors, path);
  for (const TensorInfo& info : header.tensors) {
    if (info.end < info.begin) check_size(info, path);
  }
  std::sort(header.tensors.begin(), header.tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_tiling(header.tensors, file.size() - header.data_start, path);
  return header;
}

}  // namespace attune::files
