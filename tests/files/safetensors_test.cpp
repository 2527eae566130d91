// Every way a safetensors file can be bad is a row here; the writer is compared with the reference's bytes.
#include "attune/files/safetensors.h"

#include "attune/base/strings.h"
#include "attune/files/storage.h"
#include "raises.h"
#include "shared.h"
#include "temporary_folder.h"

namespace {

using namespace attune;
using namespace attune::files;
using attune::testing::TemporaryFolder;

std::string little_endian(std::uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

std::string file_of(const std::string& header, std::size_t data_bytes = 0) {
  return little_endian(header.size()) + header + std::string(data_bytes, '\1');
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return concat("\"", name, "\":{\"dtype\":\"", dtype, "\",\"shape\":", shape, ",\"data_offsets\":", offsets, "}");
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{" + entry("x", dtype, shape, offsets) + "}";
}

SafetensorsHeader parse(const std::string& content) {
  return parse_safetensors(std::as_bytes(std::span(content)), "model.safetensors");
}

struct BadFile {
  std::string name;
  std::string content;
  std::string message;
};

std::string many_ones(int n) {
  return "[" + join(std::vector<std::string>(static_cast<std::size_t>(n), "1"), ",") + "]";
}

const std::vector<BadFile>& bad_files() {
  static const std::vector<BadFile> rows{
      {"empty file", "", "file has 0 bytes, needs at least 8"},
      {"seven bytes", "1234567", "file has 7 bytes, needs at least 8"},
      {"N = 2^64-1", std::string(8, '\xff') + "{}", "header length 18446744073709551615 exceeds limit 100000000"},
      {"N = limit + 1", little_endian(100'000'001) + "{}", "header length 100000001 exceeds limit 100000000"},
      {"N beyond the file", little_endian(1000) + std::string(44, ' '),
       "header says 1000 bytes, file has 52: truncated download?"},
      {"not UTF-8", file_of("{\"\xff\":1}"), "the header is not valid UTF-8 (byte 10)"},
      {"empty header", file_of(""), "the header is not a JSON object"},
      {"an array", file_of("[]"), "the header is not a JSON object"},
      {"a number", file_of("17"), "the header is not a JSON object"},
      {"leading space", file_of(" {}"), "first byte must be '{'"},
      {"broken JSON", file_of("{\"a\""), "the header is not valid JSON"},
      {"two values", file_of("{}{}"), "the header is not valid JSON"},
      {"NUL after the end", file_of(std::string("{}\0", 3)), "NUL byte (byte 10)"},
      {"comment", file_of("{/*a*/}"), "the header is not valid JSON"},
      {"name twice", file_of("{" + entry("x", "U8", "[1]", "[0,1]") + "," + entry("x", "U8", "[1]", "[1,2]") + "}", 2),
       "tensor 'x' is listed twice"},
      {"name twice, same bytes",
       file_of("{" + entry("x", "U8", "[1]", "[0,1]") + "," + entry("x", "U8", "[1]", "[0,1]") + "}", 1),
       "tensor 'x' is listed twice"},
      {"key twice", file_of(R"({"x":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1),
       "key 'dtype' is given twice (tensor 'x')"},
      {"key missing", file_of(R"({"x":{"dtype":"U8","shape":[1]}})"), "'data_offsets' is missing (tensor 'x')"},
      {"unknown key", file_of(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"y":2}})", 1),
       "unknown key 'y' (tensor 'x')"},
      {"entry is a list", file_of(R"({"x":[1]})"), "found a list, expected an object (tensor 'x')"},
      {"entry is null", file_of(R"({"x":null})"), "found null, expected an object (tensor 'x')"},
      {"shape in an object", file_of(R"({"x":{"shape":{}}})"),
       "found an object, expected a list of numbers (shape of tensor 'x')"},
      {"list in a list", file_of(R"({"x":{"shape":[[1]]}})"),
       "expected a non-negative whole number (shape of tensor 'x')"},
      {"deep", file_of("{\"x\":" + std::string(100'000, '[')), "found a list, expected an object (tensor 'x')"},
      {"dtype is a number", file_of(R"({"x":{"dtype":3}})"), "found a number, expected a string (dtype of tensor 'x')"},
      {"unknown dtype", file_of(one("F12", "[1]", "[0,1]"), 1), "unknown dtype 'F12' (tensor 'x')"},
      {"negative size", file_of(one("U8", "[-1]", "[0,1]"), 1),
       "found -1, expected a non-negative whole number (shape of tensor 'x')"},
      {"minus nought", file_of(one("U8", "[-0]", "[0,0]")), "expected a non-negative whole number"},
      {"fraction", file_of(one("U8", "[1.0]", "[0,1]"), 1), "found 1.0, expected a non-negative whole number"},
      {"text as size", file_of(one("U8", "[\"1\"]", "[0,1]"), 1),
       "found a string, expected a non-negative whole number"},
      {"1e400", file_of(one("U8", "[1e400]", "[0,1]"), 1),
       "expected a non-negative whole number (shape of tensor 'x')"},
      {"2^64", file_of(one("U8", "[18446744073709551616]", "[0,1]"), 1), "found 18446744073709551616, expected"},
      {"2^63 beside 0", file_of(one("U8", "[0,9223372036854775808]", "[0,0]")),
       "dimension 9223372036854775808 is too large"},
      {"product overflows", file_of(one("U8", "[8589934592,8589934592]", "[0,1]"), 1),
       "overflows 64 bits (tensor 'x')"},
      {"product overflows beside 0", file_of(one("U8", "[0,8589934592,8589934592]", "[0,0]")), "overflows 64 bits"},
      {"bits overflow", file_of(one("F64", "[2305843009213693952]", "[0,1]"), 1), "size in bits overflows 64 bits"},
      {"a petabyte", file_of(one("F32", "[1125899906842624]", "[0,4503599627370496]"), 8),
       "which has 8 bytes: truncated download?"},
      {"rank 65", file_of(one("U8", many_ones(65), "[0,1]"), 1), "more than 64 dimensions (tensor 'x')"},
      {"rank 1000", file_of(one("U8", many_ones(1000), "[0,1]"), 1), "more than 64 dimensions"},
      {"half a byte", file_of(one("F4", "[3]", "[0,1]"), 1), "3 elements of F4 are not a whole number of bytes"},
      {"offsets reversed", file_of(one("U8", "[1]", "[1,0]"), 1),
       "data_offsets end at 0, before they begin at 1 (tensor 'x')"},
      {"one offset", file_of(one("U8", "[1]", "[0]"), 1), "data_offsets has 1 numbers, expected 2 (tensor 'x')"},
      {"three offsets", file_of(one("U8", "[1]", "[0,1,2]"), 1), "data_offsets has 3 numbers, expected 2"},
      {"does not begin at 0", file_of(one("U8", "[1]", "[1,2]"), 2),
       "tensor 'x' begins at 1, but the first tensor must begin at 0 (hole)"},
      {"hole", file_of("{" + entry("a", "U8", "[1]", "[0,1]") + "," + entry("b", "U8", "[1]", "[2,3]") + "}", 3),
       "tensor 'b' begins at 2, but tensor 'a' before it ends at 1 (hole)"},
      {"overlap", file_of("{" + entry("a", "U8", "[2]", "[0,2]") + "," + entry("b", "U8", "[2]", "[1,3]") + "}", 3),
       "tensor 'b' begins at 1, but tensor 'a' before it ends at 2 (overlap)"},
      {"beyond the end", file_of(one("U8", "[9]", "[0,9]"), 8),
       "data of tensor 'x' ends at byte 9 of the data section, which has 8 bytes"},
      {"size is not the shape's", file_of(one("F32", "[2]", "[0,4]"), 4),
       "data_offsets span 4 bytes, shape and dtype F32 need 8 (tensor 'x')"},
      {"trailing bytes", file_of(one("U8", "[1]", "[0,1]"), 4),
       "3 bytes follow the last tensor's data (polyglot file?)"},
      {"trailing bytes, no tensors", file_of("{}", 1), "1 bytes follow"},
      {"metadata is not text", file_of(R"({"__metadata__":{"format":3}})"),
       "found a number, expected a string (__metadata__.format)"},
      {"metadata nested", file_of(R"({"__metadata__":{"format":{}}})"),
       "found an object, expected a string (__metadata__.format)"},
      {"metadata is a list", file_of(R"({"__metadata__":[]})"), "found a list, expected an object (__metadata__)"},
      {"metadata key twice", file_of(R"({"__metadata__":{"a":"1","a":"1"}})"), "key 'a' is given twice (__metadata__)"},
      {"metadata twice", file_of(R"({"__metadata__":{},"__metadata__":{}})"), "__metadata__ is given twice"},
      {"NUL in a name", file_of("{" + entry("a\\u0000b", "U8", "[1]", "[0,1]") + "}", 1),
       "a tensor name holds control characters (tensor 'a\\x00b')"},
      {"newline in a name", file_of("{" + entry("a\\nb", "U8", "[1]", "[0,1]") + "}", 1), "(tensor 'a\\nb')"},
      {"ESC in a name", file_of("{" + entry("a\\u001b[2J", "U8", "[1]", "[0,1]") + "}", 1), "(tensor 'a\\x1B[2J')"},
      {"long name", file_of("{" + entry(std::string(1025, 'n'), "U8", "[1]", "[0,1]") + "}", 1),
       "a tensor name has 1025 bytes, the limit is 1024"},
      {"Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
       "this is a Git LFS pointer"},
      {"HTML page", "<!DOCTYPE html>\n<html><body>404</body></html>", "looks like an HTML page, not a model"},
      {"zip with a pickle", "PK\3\4" + std::string(60, '\0'), "pickle files can run code when they are opened"},
      {"bare pickle", "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.",
       "pickle files can run code when they are opened"},
  };
  return rows;
}

}  // namespace

TEST_CASE("every bad safetensors file is refused with its own message", "[files][safetensors]") {
  for (const BadFile& bad : bad_files()) {
    INFO(bad.name);
    CHECK_RAISES(parse(bad.content), model, bad.message);
  }
}

TEST_CASE("every cut of a good safetensors file is refused", "[files][safetensors]") {
  const std::string whole =
      file_of("{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("b", "U8", "[3]", "[8,11]") + "}", 11);
  REQUIRE(parse(whole).tensors.size() == 2);
  for (std::size_t length = 0; length < whole.size(); ++length) CHECK_THROWS_AS(parse(whole.substr(0, length)), Error);
  CHECK_THROWS_AS(parse(whole + '\0'), Error);
}

TEST_CASE("a safetensors header gives its tensors in the order of their bytes", "[files][safetensors]") {
  const auto header =
      parse(file_of("{\"__metadata__\":{\"format\":\"pt\"}," + entry("b", "BF16", "[1,2]", "[4,8]") + "," +
                        entry("none", "F64", "[0,5]", "[4,4]") + "," + entry("scalar", "F32", "[]", "[0,4]") + "}   ",
                    8));
  REQUIRE(header.tensors.size() == 3);
  CHECK(header.tensors[0].name == "scalar");
  CHECK(header.tensors[0].shape.empty());
  CHECK(header.tensors[1].name == "none");
  CHECK(header.tensors[2].shape == std::vector<std::int64_t>{1, 2});
  CHECK(header.tensors[2].dtype == Dtype::BF16);
  CHECK(header.metadata.at("format") == "pt");
}

TEST_CASE("rank 64 and names of 1024 bytes are the last that are accepted", "[files][safetensors]") {
  CHECK(parse(file_of(one("U8", many_ones(64), "[0,1]"), 1)).tensors[0].shape.size() == 64);
  CHECK(parse(file_of("{" + entry(std::string(1024, 'n'), "U8", "[1]", "[0,1]") + "}", 1)).tensors.size() == 1);
}

TEST_CASE("more than a million tensors are refused", "[files][safetensors][slow]") {
  std::string header = "{";
  for (int i = 0; i <= 1'000'000; ++i) header += concat(i == 0 ? "" : ",", entry(concat(i), "U8", "[0]", "[0,0]"));
  CHECK_RAISES(parse(file_of(header + "}")), model, "more than 1000000 tensors");
}

TEST_CASE("a header length that begins like a pickle is still a safetensors file", "[files][safetensors]") {
  std::string header = "{" + entry("x", "U8", "[1]", "[0,1]") + "}";
  header.resize(0x280, ' ');  // little-endian: 80 02 00 …
  CHECK(parse(file_of(header, 1)).tensors.size() == 1);
}

TEST_CASE("folders and devices are not opened as safetensors files", "[files][safetensors]") {
  const TemporaryFolder folder;
  CHECK_RAISES(open_safetensors(folder.path()), model, "this is a folder, not a regular file");
  CHECK_RAISES(open_safetensors("/dev/zero"), model, "not a regular file");
  CHECK_RAISES(open_safetensors(folder / "none"), model, "cannot open it: No such file or directory");
}

TEST_CASE("the safetensors writer orders by dtype and name and pads the header", "[files][safetensors]") {
  const TemporaryFolder folder;
  const std::string zeros(64, '\0');
  const auto bytes = [&](std::size_t n) { return std::as_bytes(std::span(zeros).first(n)); };
  const std::string path = folder / "a.safetensors";
  write_safetensors(path,
                    {{"u8", Dtype::U8, {3}, bytes(3)},
                     {"f32", Dtype::F32, {}, bytes(4)},
                     {"i64", Dtype::I64, {0, 2}, bytes(0)},
                     {"f\"é", Dtype::F32, {1, 2}, bytes(8)},
                     {"bf16", Dtype::BF16, {1}, bytes(2)}},
                    {{"format", "pt"}, {"a", "line\nend"}});
  const std::string header =
      R"({"__metadata__":{"a":"line\nend","format":"pt"},"i64":{"dtype":"I64","shape":[0,2],"data_offsets":[0,0]},)"
      R"("f\"é":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"f32":{"dtype":"F32","shape":[],"data_offsets":[8,12]},)"
      R"("bf16":{"dtype":"BF16","shape":[1],"data_offsets":[12,14]},"u8":{"dtype":"U8","shape":[3],"data_offsets":[14,17]}})";
  const std::string content = read_file(path);
  const std::size_t padded = (header.size() + 7) / 8 * 8;
  CHECK(content.substr(0, 8) == little_endian(padded));
  CHECK(content.substr(8, header.size()) == header);
  CHECK(content.substr(8 + header.size()) == std::string(padded - header.size(), ' ') + zeros.substr(0, 17));
  CHECK(open_safetensors(path).header.tensors.size() == 5);
}

TEST_CASE("a file written over while it is mapped keeps its bytes for the reader", "[files][safetensors]") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.safetensors";
  const std::string old_bytes = "old!", new_bytes = "new!";
  write_safetensors(path, {{"x", Dtype::U8, {4}, std::as_bytes(std::span(old_bytes))}}, {});
  const SafetensorsFile opened = open_safetensors(path);
  write_safetensors(path, {{"x", Dtype::U8, {4}, std::as_bytes(std::span(new_bytes))}}, {});
  const auto bytes = opened.bytes(opened.header.tensors[0]);
  CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), 4) == "old!");
}

TEST_CASE("the reference's safetensors files are accepted and refused as listed", "[files][safetensors]") {
  ATTUNE_NEEDS_SHARED(shared);
  int seen = 0;
  for (const auto& file : std::filesystem::directory_iterator(shared + "/oracle/safetensors")) {
    const std::string name = file.path().filename().string();
    if (!name.ends_with(".safetensors")) continue;
    INFO(name);
    const bool good = !name.starts_with("bad_") && !name.starts_with("lenient_");
    if (good) CHECK_NOTHROW(open_safetensors(file.path().string()));
    if (!good) CHECK_THROWS_AS(open_safetensors(file.path().string()), Error);
    ++seen;
  }
  CHECK(seen == 24);
}
