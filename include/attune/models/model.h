// The abstract model: a stack of stages. 0 = embeddings, 1…depth = blocks, depth+1 = head (and loss).
// Freezing, the prefix cache, layer-wise rates, recomputation and saving use the stages and the parameter list and
// nothing else. torch/nn/module.h stays inside the sources of nn and models.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attune/models/layer_change.h"
#include "attune/models/spec.h"
#include "attune/models/virtual_tokens.h"
#include "attune/nn/dropout.h"
#include "attune/nn/layout.h"
#include "attune/nn/precision.h"
#include "attune/nn/rotary.h"
#include "attune/nn/vocabulary.h"

namespace attune::models {

/// Some rows of a packed stream, by sequence.
struct Rows {
  at::Tensor index;   ///< int64 [R], ascending; undefined = all rows of the stream
  nn::Layout layout;  ///< how many of them belong to each sequence

  /// The rows of x [T, …] → [R, …]; x itself where all are meant.
  at::Tensor of(const at::Tensor& x) const;
};

/// Keys and values that earlier passes left, for decoding token by token (infer keeps the books). The pass writes those
/// of its own tokens beside them.
struct Past {
  std::vector<at::Tensor> keys, values;  ///< one pool a block: float32 [rows, key heads, head size]
  at::Tensor rows;    ///< int64 [T]: the rows of the pools that the pass's tokens get; there is no dead segment
  nn::Layout layout;  ///< of all keys of each sequence, the pass's own last, with pages
};

/// One packed batch, as the model sees it. All tensors on the model's device.
struct Input {
  at::Tensor ids;        ///< int64 [T]
  at::Tensor positions;  ///< int64 [T], position in its sequence
  at::Tensor segments;   ///< int64 [T], token type ids
  nn::Layout layout;
  nn::DropoutKeys dropout;   ///< token_keys undefined in evaluation
  at::Tensor wanted;         ///< int64 [N]: rows of the stream whose logits are wanted (LM heads); undefined = all
  bool defer_vocabulary = false;  ///< LM heads give Output::vocabulary, not logits, unless an adapter changes them
  std::optional<Rows> keys;  ///< the rows that may be attended to, where not all may (padding that a reference reads)
  std::shared_ptr<const Past> past;  ///< decoders: tokens before those of the stream; null = there are none
  /// Length of each sequence's whole text, for rotary positions that depend on it; empty = its keys.
  std::vector<std::int32_t> text_lengths;
  /// The model's virtual tokens are accounted for: in the stream, as the ids behind the vocabulary's, or in the past.
  /// Otherwise prepare() puts them in front of each sequence, and the outputs are those of the rows that were given.
  bool has_virtual_tokens = false;
};

/// Called with "hidden.0" … "hidden.<depth>" [T, H] (Transformers' hidden_states) when set.
using Trace = std::function<void(const std::string& name, const at::Tensor& value)>;

/// Where the virtual tokens of a model stand in a stream.
struct VirtualRows {
  const VirtualTokens* tokens = nullptr;  ///< null = the stream knows none
  at::Tensor rows;     ///< int64 [V]: rows of the stream that hold an embedded one; undefined = none do
  at::Tensor numbers;  ///< int64 [V]: which
  /// Keys and values: row of [virtual; those of the pass] that each key of a sequence is, the virtual ones first.
  Rows keys;
  Rows given;  ///< the rows that the input had before the embedded ones came; index undefined = all

  bool embedded() const { return rows.defined(); }
  bool before_keys() const { return keys.index.defined(); }
};

/// What all stages of one pass share. Holds nothing that needs a gradient.
struct Context {
  Input input;           ///< with the embedded virtual tokens
  VirtualRows virtual_rows;
  std::vector<bool> dropout_on;  ///< per stage; all false in evaluation
  Rows summary;  ///< the token of each sequence that stands for it: encoders' first, decoders' last that is no padding
  std::vector<nn::RotaryTable> rotary;      ///< decoders: one for each of the spec's
  std::vector<std::int32_t> query_offsets;  ///< decoders: nn::AttentionSpec::offsets
  Trace trace;
};

struct State {
  at::Tensor
      hidden;  ///< [T, H]; [B, H] above the last block where the head reads only Context::summary
  at::Tensor memory;  ///< encoder output of encoder-decoders; undefined otherwise
};

struct Output {
  /// sequence classification [B, labels] · token classification [T, labels] · masked and causal LM [N wanted or T,
  /// vocab] · span QA [T, 2] · base model [T, H]
  at::Tensor logits;
  at::Tensor pooled;  ///< base model with a pooler: [B, H]; undefined otherwise
  nn::Vocabulary vocabulary = {};  ///< with Input::defer_vocabulary: the logits before they are multiplied out
};

/// adapter: brought by one. It stays float32 whatever the model's dtype is, and never lies in the model's own files.
enum class ParameterKind { matrix, bias, norm, embedding, buffer, adapter };

struct Parameter {
  std::string name;                 ///< Transformers' in-memory name of the head class
  std::vector<std::int64_t> shape;  ///< wanted shape
  at::Tensor tensor;                ///< filled by set_data, never reassigned
  std::vector<int> stages;          ///< which stages read it, ascending (a tied matrix has several)
  ParameterKind kind;
  std::vector<std::string> aliases;  ///< tied names that share this storage
  bool is_head = false;              ///< part of the task head: new when the checkpoint has none
  bool by_token = false;             ///< a table of which token id i reads row i, and that nothing else reads
  bool with_adapter = false;         ///< trains, and is saved, with the adapter that the model has
  /// How it starts without a checkpoint: a matrix's deviation in units of initializer_range, or the weight of a norm.
  double initial_factor = 1.0;
  std::optional<std::int64_t>
      padding_row;        ///< row of an embedding that starts at zero (torch.nn.Embedding's padding_idx)
  std::string file_name;  ///< its name in weight files; differs from `name` where the checkpoint spells it differently
  /// Handle of its bfloat16 copy, which products in bfloat16 read (nn::Operand): empty where the execution multiplies in
  /// float32, undefined where no product reads the parameter.
  at::Tensor rounded = {};

  bool has_copy() const { return rounded.defined() && rounded.sizes() == tensor.sizes(); }
};

/// Whether weight decay applies, as Transformers' Trainer decides: by norm layers and by name.
bool decays(const Parameter& parameter);

/// Where a model lies and in what it multiplies.
struct Execution {
  at::Device device = at::kCPU;
  nn::Precision precision = nn::Precision::float32;
};

class Model {
 public:
  virtual ~Model() = default;
  virtual const ModelSpec& spec() const = 0;
  virtual int depth() const = 0;
  /// Each storage once, in registration order.
  virtual std::vector<Parameter>& parameters() = 0;
  virtual const std::vector<Parameter>& parameters() const = 0;
  /// The layers that an adapter can change, in registration order; none where the network has no place for adapters.
  virtual const std::vector<AdaptableLayer>& adaptable_layers() const;

  /// Throws Error{data} when a sequence is longer than the model's positions.
  virtual Context prepare(Input input, bool training) const = 0;
  virtual State embed(const Context& context) const = 0;
  virtual State block(int i, const State& state, const Context& context) const = 0;  ///< 0 ≤ i < depth
  virtual Output head(const State& state, const Context& context) const = 0;

  /// What an adapter puts in front of every text; null = nothing.
  const std::shared_ptr<const VirtualTokens>& virtual_tokens() const { return virtual_tokens_; }
  void set_virtual_tokens(std::shared_ptr<const VirtualTokens> tokens) { virtual_tokens_ = std::move(tokens); }
  /// Positions that texts may take: the spec's, less those of the virtual tokens.
  std::int64_t positions_for_texts() const;

  const Execution& execution() const { return execution_; }
  /// Moves the parameters to the device. Batches must lie there too; forward() and train::StagedPass keep the
  /// precision.
  void set_execution(const Execution& execution);
  /// Gives a parameter of this model other values, and the copy that products read with them.
  void set_values(Parameter& parameter, const at::Tensor& values) const;

 private:
  Execution execution_;
  std::shared_ptr<const VirtualTokens> virtual_tokens_;
};

/// Gives the memory of a parameter back that lies in a mapped file and of which only the copy is read. To be called by
/// whoever has read all of it.
void release_pages(const Parameter& parameter);

/// The batch on a device.
Input to_device(Input input, const at::Device& device);

/// The whole forward pass, in the model's precision.
Output forward(const Model& model, const Context& context);
/// The same from `stage` on, of the state that the stages below it gave.
Output forward_from(const Model& model, const Context& context, int stage, State state);

/// What loading did, for the report a user reads.
struct LoadReport {
  std::vector<std::string> loaded;
  std::vector<std::string> newly_initialised;  ///< head tensors the checkpoint lacks ("missing_keys" in Transformers)
  std::vector<std::string> unused;  ///< tensors of the file that the model has no place for ("unexpected_keys")
  std::vector<std::string> notes;   ///< what else a user should know: dtype conversion, why a head is new
};

struct LoadedModel {
  std::unique_ptr<Model> model;
  std::shared_ptr<const files::Json> config;  ///< config.json as read; unknown keys survive
  at::ScalarType dtype = at::kFloat;  ///< of the weights in memory and in files; what is being trained is float32
  LoadReport report;
  std::string folder;
};

struct LoadOptions {
  Task task = Task::sequence_classification;
  std::vector<std::string> labels;  ///< new head's labels; empty = the checkpoint's own
  std::string problem_type;
  std::string dtype = "auto";  ///< as ModelOptions::dtype
  std::uint64_t seed = 42;     ///< of newly initialised tensors (src/models/initialise.h)
  bool new_head = false;
  bool random_weights = false;  ///< take config.json alone: every tensor starts as in a newly made model
  std::optional<double> hidden_dropout, attention_dropout, classifier_dropout;
};

/// Opens a checkpoint folder; weights stay mapped. A missing body tensor is an error, never random weights, unless
/// `random_weights` asks for them: then the folder needs no weights, and those it has are not opened. Throws
/// Error{model}.
LoadedModel load_model(const std::string& folder, const LoadOptions& options);

/// A folder, or a Hub id (owner/name) found in the local Hugging Face cache. Throws Error{model} saying where it
/// looked.
std::string resolve_model_path(const std::string& path_or_id);

/// Gives every parameter but an adapter's its model's dtype, which ends training: whoever opens the saved model sees
/// the same numbers. Returns whether a number has changed.
bool round_to_dtype(const LoadedModel& loaded);

/// Writes config.json and model.safetensors as Transformers' save_pretrained does (tied tensors once, renames reverted,
/// unknown config keys kept, in the model's dtype) and copies the tokenizer files of `tokenizer_folder`.
void save_model(const LoadedModel& model, const std::string& tokenizer_folder, const std::string& folder);

/// The same without the weights: config.json with this model's head and labels, and the tokenizer files.
void save_config(const LoadedModel& model, const std::string& tokenizer_folder, const std::string& folder);

}  // namespace attune::models
