// See built_in_templates.h.
#include "built_in_templates.h"

#include <array>
#include <utility>

namespace attune::text {

namespace {

constexpr std::string_view kChatml = R"jinja({%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\n' }}
    {%- if message.role == 'assistant' %}
        {%- generation %}{{- message.content + '<|im_end|>' }}{% endgeneration %}
    {%- else %}
        {{- message.content + '<|im_end|>' }}
    {%- endif %}
    {{- '\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
)jinja";

constexpr std::string_view kAlpaca = R"jinja({%- if bos_token is defined %}{{- bos_token }}{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {{- message.content + '\n\n' }}
    {%- elif message.role == 'user' %}
        {{- '### Instruction:\n' + message.content + '\n\n### Response:\n' }}
    {%- elif message.role == 'assistant' %}
        {%- generation %}{{- message.content + eos_token }}{% endgeneration %}
        {%- if not loop.last %}{{- '\n\n' }}{%- endif %}
    {%- else %}
        {{- raise_exception('The template alpaca knows the roles system, user and assistant, not ' + message.role) }}
    {%- endif %}
{%- endfor %}
)jinja";

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kTemplates = {
    {{"chatml", kChatml}, {"alpaca", kAlpaca}}};

}  // namespace

std::string_view built_in_template(std::string_view name) {
  for (const auto& [known, source] : kTemplates) {
    if (known == name) return source;
  }
  return "";
}

}  // namespace attune::text
