// Where evaluation generates texts (training.predict_with_generate): how, from which rows, and the generating itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/infer/options.h"
#include "attune/job/options.h"
#include "attune/report/events.h"
#include "attune/train/generation.h"

namespace attune::job {

/// What the model folder asks for; end tokens also from the tokenizer where no file names any.
infer::GenerationOptions generation_options(const std::string& folder, const text::Tokenizer& tokenizer);

/// The folder's options under the run's settings; nothing where the run generates nothing. `tokenizer` must outlive it.
std::optional<train::TextGeneration> text_generation(const RunOptions& options, const std::string& folder,
                                                     const text::Tokenizer& tokenizer);

/// Error{data} when no row of `split` (as errors call it) ends with an answer, or a prompt leaves no room for one.
void check_prompts(std::span<const data::Example> examples, std::span<const task::Encoded> rows,
                   const train::TextGeneration& generation, const std::string& split);

/// Sets Prediction::generated, as a phase that `events` are told of.
void generate_texts(const models::Model& model, const train::TextGeneration& generation,
                    std::vector<task::Prediction>& predictions, const report::EventBus& events);

/// Logs how many texts ended because no more tokens were allowed.
void tell_of_cut_texts(const std::vector<task::Prediction>& predictions);

}  // namespace attune::job
