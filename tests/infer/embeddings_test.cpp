// Vectors of texts, against the hidden states that Transformers gave.
#include "attune/infer/embeddings.h"

#include <ATen/TensorOperators.h>

#include "models/golden.h"

using namespace attune;
using namespace attune::testing;

TEST_CASE("a text's vector is the mean of its last hidden states, scaled to length 1", "[infer]") {
  for (const std::string name : {"gpt2_causal_lm", "llama_causal_lm", "distilbert_masked_lm", "roberta_masked_lm"}) {
    INFO(name);
    const models::LoadedModel loaded = load_golden(name);
    const Tensors expected = golden_tensors(name);
    const models::Input input = golden_input(expected);
    const at::Tensor hidden = expected.at("hidden." + std::to_string(loaded.model->depth()));
    std::vector<std::vector<std::int32_t>> texts;
    std::vector<at::Tensor> means;
    for (std::int64_t i = 0; i < input.layout.sequences(); ++i) {
      const std::int64_t begin = input.layout.cu_seqlens[i], length = input.layout.length(i);
      const at::Tensor ids = input.ids.narrow(0, begin, length).to(at::kInt).contiguous();
      texts.emplace_back(ids.const_data_ptr<std::int32_t>(), ids.const_data_ptr<std::int32_t>() + length);
      const at::Tensor mean = hidden.narrow(0, begin, length).mean(0);
      means.push_back(mean / mean.norm());
    }
    const at::Tensor found = infer::embeddings(*loaded.model, texts);
    for (std::size_t i = 0; i < means.size(); ++i)
      CHECK((found[static_cast<std::int64_t>(i)] - means[i]).abs().max().item<double>() < 1e-5);
  }
}
