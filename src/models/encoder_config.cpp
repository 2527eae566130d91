// See encoder_config.h.
#include "encoder_config.h"

#include "attune/base/strings.h"

namespace attune::models {

void read_encoder(const ConfigReader& reader, ModelSpec& spec) {
  for (const char* key : {"is_decoder", "add_cross_attention"}) {
    if (reader.boolean(key, false)) reader.fail(key, "found true: attune supports this model type as an encoder only");
  }
  const std::string positions = reader.text("position_embedding_type", "absolute");
  if (positions != "absolute") {
    reader.fail("position_embedding_type", concat("found '", positions, "', only 'absolute' is supported"));
  }
  check_heads_divide(reader, spec);
  spec.type_vocab_size = reader.whole("type_vocab_size", 1, kMaxWidth, 2);
  spec.embedding_size = spec.hidden_size;
}

}  // namespace attune::models
