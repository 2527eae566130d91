// Times Tokenizer::encode_batch for bench/tokenizer.py.
//   bench_tokenizer TOKENIZER.json TEXTS      TEXTS: a JSON string a line
// Each line of stdin asks for one round: "ids" (no token strings, as training asks) or "all" (every field). The answer
// is the round's seconds and its number of tokens. The time of loading comes first.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/text/tokenizer.h"

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<std::string> read_texts(const char* file) {
  std::vector<std::string> texts;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) texts.push_back(nlohmann::json::parse(line).get<std::string>());
  return texts;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_tokenizer TOKENIZER.json TEXTS\n", stderr);
    return 2;
  }
  const std::vector<std::string> texts = read_texts(argv[2]);
  const std::vector<attune::text::TextInput> inputs(texts.begin(), texts.end());
  const auto start = std::chrono::steady_clock::now();
  const auto tokenizer = attune::text::Tokenizer::from_file(argv[1]);
  std::printf("%.6f\n", seconds_since(start));
  std::fflush(stdout);
  for (std::string fields; std::getline(std::cin, fields);) {
    const auto begin = std::chrono::steady_clock::now();
    const auto encodings = tokenizer.encode_batch(inputs, {.with_tokens = fields == "all"});
    const double seconds = seconds_since(begin);
    std::size_t tokens = 0;
    for (const auto& encoding : encodings) tokens += encoding.size();
    std::printf("%.6f %zu\n", seconds, tokens);
    std::fflush(stdout);
  }
  return 0;
}
