// Handlers of attune_probe: each computes one kind of oracle case with production code and writes what judge.py asks for.
#pragma once

#include <string>

namespace attune::probe {

/// Thrown for cases that attune does not support yet; the probe exits 77.
struct Unsupported {
  std::string what;
};

void run_model_case(const std::string& folder, const std::string& out);
void run_tokenizer_case(const std::string& folder, const std::string& out);
void run_chat_template_case(const std::string& file, const std::string& out);
void run_safetensors_case(const std::string& folder, const std::string& out);
void run_schedules_case(const std::string& file, const std::string& out);
void run_label_smoother_case(const std::string& file, const std::string& out);
void run_shuffle_order_case(const std::string& file, const std::string& out);
void run_activations_case(const std::string& file, const std::string& out);
void run_adamw_case(const std::string& file, const std::string& out);
void run_gradient_accumulation_case(const std::string& file, const std::string& out);
void run_trainer_case(const std::string& folder, const std::string& out);
void run_minilm_case(const std::string& folder, const std::string& out);
/// Not the judge's: loads a checkpoint for the head that its config.json names, and saves it (tests/python/saved_models.py).
void run_resave_case(const std::string& folder, const std::string& out);

}  // namespace attune::probe
