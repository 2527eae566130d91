// How the texts of a model become vectors, as the files of sentence-transformers say it (modules.json,
// 1_Pooling/config.json), and those files for a model that attune tuned.
#pragma once

#include <cstdint>
#include <string>

#include "attune/task/vectors.h"

namespace attune::job {

/// Of a model folder; the mean of all tokens where it has no modules.json. Error{model} for a module or a kind of
/// pooling that attune does not compute.
task::Pooling read_pooling(const std::string& folder);

struct PoolingFiles {
  task::Pooling pooling;
  std::int64_t hidden_size = 0;
  std::int64_t max_length = 0;  ///< texts are cut to so many tokens
};

/// What SentenceTransformer(folder) needs beside model and tokenizer.
void write_pooling(const PoolingFiles& files, const std::string& folder);

}  // namespace attune::job
