// Tensors over mapped files: values, views, dtypes, writing.
#include "attune/tensor/weights.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <fstream>
#include <limits>
#include <string>

#include "attune/files/storage.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

using namespace attune::tensor;
using attune::files::Dtype;
using attune::testing::TemporaryFolder;

std::map<std::string, at::Tensor> samples() {
  const at::Tensor base = at::arange(6, at::kFloat).reshape({2, 3});
  std::map<std::string, at::Tensor> tensors;
  for (const auto type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort, at::kChar,
                          at::kByte, at::kBool}) {
    tensors.emplace(c10::toString(type), base.to(type));
  }
  tensors.emplace("scalar", at::tensor(2.5f));
  tensors.emplace("none", at::zeros({0, 4}));
  tensors.emplace("transposed", base.t());
  return tensors;
}

}  // namespace

TEST_CASE("tensors of every dtype survive writing and reading", "[tensor][weights]") {
  const TemporaryFolder folder;
  const auto written = samples();
  save_tensors(folder / "a.safetensors", written);
  const auto read = load_tensors(folder / "a.safetensors");
  REQUIRE(read.size() == written.size());
  for (const auto& [name, tensor] : written) {
    INFO(name);
    CHECK(read.at(name).scalar_type() == tensor.scalar_type());
    CHECK(read.at(name).sizes() == tensor.sizes());
    CHECK(at::equal(read.at(name), tensor));
  }
}

TEST_CASE("a tensor is a view of the mapping and keeps it alive", "[tensor][weights]") {
  const TemporaryFolder folder;
  save_tensors(folder / "a.safetensors", {{"x", at::arange(4, at::kFloat)}});
  auto file = attune::files::open_safetensors(folder / "a.safetensors");
  const void* mapped = file.bytes(file.header.tensors[0]).data();
  at::Tensor x;
  {
    std::vector<attune::files::SafetensorsFile> shards;
    shards.push_back(std::move(file));
    x = Weights(std::move(shards)).tensor("x");
  }
  CHECK(x.const_data_ptr() == mapped);
  CHECK(at::equal(x, at::arange(4, at::kFloat)));
}

TEST_CASE("a tensor whose bytes are not aligned is copied", "[tensor][weights]") {
  const TemporaryFolder folder;
  // One odd byte before the floats, as foreign writers leave it.
  std::string header =
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const float values[] = {1.5f, -2.0f};
  const std::string path =
      folder.write("a.safetensors", std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header +
                                        "\7" + std::string(reinterpret_cast<const char*>(values), sizeof values));
  const at::Tensor x = load_tensors(path).at("x");
  CHECK(reinterpret_cast<std::uintptr_t>(x.const_data_ptr()) % alignof(float) == 0);
  CHECK(at::equal(x, at::tensor({1.5f, -2.0f})));
}

TEST_CASE("dtypes that cannot be trained are refused by name", "[tensor][weights]") {
  const TemporaryFolder folder;
  const std::string zeros(8, '\0');
  const std::string path = folder / "a.safetensors";
  attune::files::write_safetensors(path, {{"w", Dtype::F4, {16}, std::as_bytes(std::span(zeros))}}, {});
  CHECK_RAISES(load_tensors(path), model, "a.safetensors: dtype F4 is not supported for training (tensor 'w')");
}

TEST_CASE("a tensor in two files is an error", "[tensor][weights]") {
  const TemporaryFolder folder;
  save_tensors(folder / "a.safetensors", {{"x", at::ones({1})}});
  std::vector<attune::files::SafetensorsFile> shards{attune::files::open_safetensors(folder / "a.safetensors"),
                                                     attune::files::open_safetensors(folder / "a.safetensors")};
  CHECK_RAISES(Weights(shards), model, "tensor 'x' is in another file, too");
}

TEST_CASE("non-finite values are counted", "[tensor][weights]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  CHECK(non_finite_count(at::tensor({1.0f, nan, inf, -inf, 0.0f})) == 3);
  CHECK(non_finite_count(at::tensor({1.0f, nan}).to(at::kBFloat16)) == 1);
  CHECK(non_finite_count(at::arange(3)) == 0);
  CHECK(non_finite_count(at::zeros({0})) == 0);
}

TEST_CASE("pages of a mapped tensor are given back and read again; other memory is left alone", "[tensor][weights]") {
  const auto mapped_kilobytes = [] {
    std::ifstream status("/proc/self/status");
    std::string word;
    while (status >> word && word != "RssFile:") {}
    std::int64_t kilobytes = 0;
    status >> kilobytes;
    return kilobytes;
  };
  const TemporaryFolder folder;
  const at::Tensor values = at::arange(1 << 20, at::kFloat);
  save_tensors(folder / "a.safetensors", {{"x", values}, {"y", values.narrow(0, 0, 100)}});
  const auto read = load_tensors(folder / "a.safetensors");
  REQUIRE(at::equal(read.at("x"), values));
  const std::int64_t before = mapped_kilobytes();
  release_pages(read.at("x"));
  CHECK(mapped_kilobytes() < before - 3 * 1024);
  CHECK(at::equal(read.at("x"), values));
  CHECK(at::equal(read.at("y"), values.narrow(0, 0, 100)));
  const at::Tensor own = values.clone();
  release_pages(own);
  CHECK(at::equal(own, values));
}
