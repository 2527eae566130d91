// chat_templates/*.json: renders the conversations of _inputs.json with the template of the case (see the head of
// judge.py).
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attune/base/error.h"
#include "attune/text/chat_template.h"
#include "probe/probe.h"

namespace attune::probe {

namespace {

using nlohmann::ordered_json;

ordered_json read(const std::string& path) {
  std::ifstream in(path);
  return ordered_json::parse(in);
}

/// The time that the oracle's strftime_now was given.
std::tm time_of(const std::string& iso) {
  std::tm parts{};
  if (::strptime(iso.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) throw std::runtime_error("no time: " + iso);
  return parts;
}

/// What the oracle called the reference's renderer with, which leaves the messages as they are.
ordered_json variables(const ordered_json& row, const ordered_json& inputs, const ordered_json& special_tokens) {
  ordered_json out = special_tokens;
  out["messages"] = inputs.at("chats").at(row.at("chat").get<std::string>());
  out["tools"] = row.at("tools").get<bool>() ? inputs.at("tools") : ordered_json();
  out["documents"] = ordered_json();
  out["add_generation_prompt"] = row.at("add_generation_prompt");
  return out;
}

ordered_json rendered(const std::string& source, const std::string& file, const ordered_json& variables,
                      const text::RenderOptions& options) {
  try {
    const text::RenderedChat chat = text::ChatTemplate::parse(source, file).render(variables, options);
    return {{"text", chat.text}, {"generation_spans", chat.generation_spans}};
  } catch (const Error& error) {
    return {{"error", error.what()}};
  }
}

}  // namespace

void run_chat_template_case(const std::string& file, const std::string& out) {
  const ordered_json inputs = read((std::filesystem::path(file).parent_path() / "_inputs.json").string());
  const ordered_json expected = read(file);
  text::RenderOptions options;
  options.now = time_of(inputs.at("now").get<std::string>());
  ordered_json cases = ordered_json::array();
  for (const ordered_json& row : expected.at("cases")) {
    const ordered_json given = variables(row, inputs, expected.at("special_tokens"));
    cases.push_back(rendered(expected.at("template").get<std::string>(), file, given, options));
  }
  std::filesystem::create_directories(out);
  std::ofstream(out + "/out.json") << ordered_json{{"cases", std::move(cases)}}.dump(1);
}

}  // namespace attune::probe
