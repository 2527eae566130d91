// Names of activations, and the fused bias + activation against plain operators.
#include "attune/nn/activation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>

#include "attune/base/error.h"
#include "catch.h"

using namespace attune::nn;

TEST_CASE("activations have Transformers' names, and an unknown name lists them", "[nn]") {
  CHECK(activation_by_name("gelu") == Activation::gelu);
  CHECK(activation_by_name("gelu_new") == Activation::gelu_tanh);
  CHECK(activation_by_name("swish") == Activation::silu);
  try {
    activation_by_name("gleu");
    FAIL("no error");
  } catch (const attune::Error& error) {
    CHECK(error.kind() == attune::ErrorKind::model);
    CHECK(std::string(error.what()).find("quick_gelu") != std::string::npos);
  }
}
