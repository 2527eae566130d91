// Text and numbers of the report page.
#include "html_text.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/report/units.h"

namespace attune::report {
namespace {

std::string with_thin_spaces(std::string digits) {
  const std::ptrdiff_t first = !digits.empty() && digits[0] == '-' ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), "\u202f");
  }
  return digits;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto bad = find_invalid_utf8(text.substr(at));
    const std::size_t end = at + bad.value_or(text.size() - at);
    for (; at < end; ++at) {
      switch (text[at]) {
        case '&':
          out += "&amp;";
          break;
        case '<':
          out += "&lt;";
          break;
        case '>':
          out += "&gt;";
          break;
        case '"':
          out += "&quot;";
          break;
        case '\'':
          out += "&#39;";
          break;
        case '\t':
        case '\n':
          out += text[at];
          break;
        default:
          if (static_cast<unsigned char>(text[at]) < 0x20 || text[at] == 0x7f) {
            out += "\uFFFD";
          } else {
            out += text[at];
          }
      }
    }
    if (bad) {
      out += "\uFFFD";
      ++at;
    }
  }
  return out;
}

std::string sentence_html(std::string_view text) {
  std::string html = escape_html(text);
  for (std::size_t at = html.find(" %"); at != std::string::npos; at = html.find(" %", at)) {
    html.replace(at, 1, "\u00a0");
  }
  return html;
}

std::string count_text(double value) {
  return with_thin_spaces(print_number("%.0f", value));
}

std::string metric_text(double value) {
  if (!std::isfinite(value)) return "–";
  if (value == std::round(value) && std::abs(value) >= 1000 && std::abs(value) < 1e15) return count_text(value);
  if (value == 0) return "0.000";  // also of -0
  if (std::abs(value) >= 1e-3 && std::abs(value) < 10) return print_number("%.3f", value);
  return std::abs(value) >= 10 && std::abs(value) < 1e5 ? print_number("%.4g", value) : print_number("%.2e", value);
}

std::string percent(double share) {
  return print_number("%.1f\u00a0%%", 100 * share);
}

std::string whole_percent(double share) {
  return print_number("%.0f\u00a0%%", 100 * share);
}

double number_or(const files::Json& value, double otherwise) {
  return value.is_number() ? value.get<double>() : otherwise;
}

std::string value_text(const files::Json& value) {
  if (value.is_null()) return "–";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array() && !value.empty()) {
    std::vector<std::string> parts;
    for (const files::Json& part : value) parts.push_back(value_text(part));
    return join(parts, ", ");
  }
  return value.dump(-1, ' ', false, files::Json::error_handler_t::replace);
}

std::string metric_label(const std::string& name, const files::Json& metrics) {
  static const std::vector<std::pair<std::string, std::string>> labels = {
      {"accuracy", "Accuracy"},
      {"f1", "F1"},
      {"f1_macro", "F1, macro"},
      {"f1_micro", "F1, micro"},
      {"f1_weighted", "F1, weighted"},
      {"f1_samples", "F1, by row"},
      {"f1_positive", "F1, positive class"},
      {"precision_positive", "Precision, positive class"},
      {"recall_positive", "Recall, positive class"},
      {"precision_macro", "Precision, macro"},
      {"recall_macro", "Recall, macro"},
      {"precision_weighted", "Precision, weighted"},
      {"recall_weighted", "Recall, weighted"},
      {"majority_rate", "Most frequent label of these rows"},
      {"mcc", "Matthews correlation"},
      {"roc_auc", "ROC-AUC"},
      {"pr_auc", "PR-AUC"},
      {"brier", "Brier score"},
      {"ece", "Expected calibration error"},
      {"log_loss", "Log loss"},
      {"loss", "Loss"},
      {"rmse", "RMSE"},
      {"mse", "MSE"},
      {"mae", "MAE"},
      {"r2", "R²"},
      {"pearson", "Pearson correlation"},
      {"spearman", "Spearman correlation"},
      {"exact_match", "Exact match"},
      {"rouge1", "ROUGE-1"},
      {"rouge2", "ROUGE-2"},
      {"rougeL", "ROUGE-L"},
      {"rougeLsum", "ROUGE-Lsum"},
      {"bleu", "BLEU"},
      {"chrf", "chrF"},
      {"chrf++", "chrF++"},
      {"generated", "Generated texts"},
      {"tokens", "Tokens scored"},
      {"perplexity", "Perplexity"},
      {"bits_per_byte", "Bits per byte"}};
  for (const auto& [key, label] : labels) {
    if (key == name) return with_unit(label, name, metrics);
  }
  std::string label = name;
  std::replace(label.begin(), label.end(), '_', ' ');
  return label;
}

std::string html_table(const HtmlTable& table) {
  std::string html = table.figures
                         ? concat("<div class=\"scroll\"><table class=\"figures", table.is_wide ? " wide" : "", "\">")
                         : std::string("<div class=\"scroll\"><table>");
  if (!table.header.empty()) {
    html += "<thead><tr>";
    for (std::size_t i = 0; i < table.header.size(); ++i) {
      html += (i < table.text_columns ? "<th scope=\"col\" class=\"text\">" : "<th scope=\"col\">") + table.header[i] +
              "</th>";
    }
    html += "</tr></thead>";
  }
  html += "<tbody>";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const char* open = i < table.text_columns ? "<td class=\"text\">" : "<td>";
      html += i == 0 ? "<th scope=\"row\">" + row[i] + "</th>" : open + row[i] + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

const files::Json& member(const files::Json& object, std::initializer_list<const char*> path) {
  static const files::Json none = nullptr;
  const files::Json* at = &object;
  for (const char* key : path) {
    if (!at->is_object() || !at->contains(key)) return none;
    at = &(*at)[key];
  }
  return *at;
}

}  // namespace attune::report
