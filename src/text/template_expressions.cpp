// Expressions, from the weakest operator to the strongest; see template_parser.h.
#include <algorithm>

#include "template_builtins.h"
#include "template_fault.h"
#include "template_parser_state.h"

namespace attune::text::jinja {

namespace {

constexpr int kMaxDepth = 200;  // Python refuses about as many parentheses

template <typename Operator>
struct Row {
  std::string_view symbol;
  Operator operation;
};
constexpr Row<Comparison> kComparisons[] = {{"==", Comparison::equal},  {"!=", Comparison::unequal},
                                            {"<", Comparison::less},    {"<=", Comparison::less_equal},
                                            {">", Comparison::greater}, {">=", Comparison::greater_equal}};
constexpr Row<Arithmetic> kSums[] = {{"+", Arithmetic::add}, {"-", Arithmetic::subtract}};
constexpr Row<Arithmetic> kProducts[] = {{"*", Arithmetic::multiply},
                                         {"/", Arithmetic::divide},
                                         {"//", Arithmetic::floor_divide},
                                         {"%", Arithmetic::modulo}};

template <typename Operator, std::size_t size>
const Operator* find(const Row<Operator> (&rows)[size], const Token& token) {
  if (token.kind != TokenKind::symbol) return nullptr;
  const auto* row =
      std::find_if(std::begin(rows), std::end(rows), [&](const auto& r) { return r.symbol == token.text; });
  return row == std::end(rows) ? nullptr : &row->operation;
}

/// The deepest of the expressions that a form holds.
class Deepest {
 public:
  int operator()(const Constant&) { return 0; }
  int operator()(const Variable&) { return 0; }
  int operator()(const ListLiteral& list) { return of(list.items); }
  int operator()(const TupleLiteral& tuple) { return of(tuple.items); }
  int operator()(const DictLiteral& dict) {
    int deepest = 0;
    for (const auto& [key, value] : dict.entries) deepest = std::max({deepest, of(key), of(value)});
    return deepest;
  }
  int operator()(const Unary& unary) { return of(unary.operand); }
  int operator()(const Binary& binary) { return std::max(of(binary.left), of(binary.right)); }
  int operator()(const Logical& logical) { return std::max(of(logical.left), of(logical.right)); }
  int operator()(const Comparisons& chain) { return std::max(of(chain.first), of_second(chain.rest)); }
  int operator()(const Concatenation& concatenation) { return of(concatenation.parts); }
  int operator()(const Conditional& choice) {
    return std::max({of(choice.test), of(choice.then), of(choice.otherwise)});
  }
  int operator()(const AttributeAccess& access) { return of(access.object); }
  int operator()(const ItemAccess& access) { return std::max(of(access.object), of(access.key)); }
  int operator()(const SliceAccess& slice) {
    return std::max({of(slice.object), of(slice.start), of(slice.stop), of(slice.step)});
  }
  int operator()(const FunctionCall& call) { return std::max(of(call.callee), of(call.arguments)); }
  int operator()(const FilterCall& call) { return std::max(of(call.subject), of(call.arguments)); }
  int operator()(const TestCall& call) { return std::max(of(call.subject), of(call.arguments)); }

 private:
  static int of(const ExpressionPtr& expression) { return expression == nullptr ? 0 : expression->depth; }
  static int of(const std::vector<ExpressionPtr>& expressions) {
    int deepest = 0;
    for (const ExpressionPtr& expression : expressions) deepest = std::max(deepest, of(expression));
    return deepest;
  }
  template <typename First>
  static int of_second(const std::vector<std::pair<First, ExpressionPtr>>& pairs) {
    int deepest = 0;
    for (const auto& pair : pairs) deepest = std::max(deepest, of(pair.second));
    return deepest;
  }
  static int of(const CallArguments& arguments) {
    return std::max(
        {of(arguments.positional), of_second(arguments.named), of(arguments.unpacked), of(arguments.unpacked_names)});
  }
};

}  // namespace

ExpressionPtr Parser::make(int line, Expression::Form form) const {
  const int depth = std::visit(Deepest{}, form) + 1;
  if (depth > kMaxDepth) fail_at(line, "an expression nests more than ", kMaxDepth, " levels deep");
  return std::make_unique<const Expression>(Expression{std::move(form), line, depth});
}

ExpressionPtr Parser::tuple_expression(TuplePlace place) {
  int line = here().line;
  std::vector<ExpressionPtr> items;
  bool is_tuple = false;
  while (true) {
    const bool ends = here().kind == TokenKind::output_end || here().kind == TokenKind::block_end ||
                      is_symbol(here(), ")") || (place == TuplePlace::iteration && is_name(here(), "recursive"));
    if (ends) break;
    const bool is_condition = place == TuplePlace::condition || place == TuplePlace::iteration;
    items.push_back(is_condition ? disjunction() : expression());
    if (!take_symbol(",")) break;
    is_tuple = true;
    line = here().line;
  }
  if (!is_tuple && !items.empty()) return std::move(items.front());
  if (!is_tuple && place != TuplePlace::parentheses) unexpected("an expression");
  return make(line, TupleLiteral{std::move(items)});
}

ExpressionPtr Parser::conditional() {
  const Level level(*this);
  const int line = here().line;
  const std::size_t known = unknown_.size();
  ExpressionPtr value = disjunction();
  while (take_name("if")) {
    ExpressionPtr test = disjunction();
    ExpressionPtr otherwise = take_name("else") ? conditional() : nullptr;
    value = make(line, Conditional{std::move(test), std::move(value), std::move(otherwise)});
    unknown_.resize(known, {});  // what stands in it fails only when it is reached
  }
  return value;
}

ExpressionPtr Parser::disjunction() {
  const Level level(*this);
  const int line = here().line;
  ExpressionPtr left = conjunction();
  while (take_name("or")) {
    ExpressionPtr right = conjunction();
    left = make(line, Logical{false, std::move(left), std::move(right)});
  }
  return left;
}

ExpressionPtr Parser::conjunction() {
  const int line = here().line;
  ExpressionPtr left = negation();
  while (take_name("and")) {
    ExpressionPtr right = negation();
    left = make(line, Logical{true, std::move(left), std::move(right)});
  }
  return left;
}

ExpressionPtr Parser::negation() {
  const Level level(*this);
  const int line = here().line;
  if (!take_name("not")) return comparison();
  return make(line, Unary{Unary::Operator::negation, negation()});
}

ExpressionPtr Parser::comparison() {
  const int line = here().line;
  Comparisons chain{sum(), {}};
  while (true) {
    if (const Comparison* found = find(kComparisons, here())) {
      take();
      chain.rest.emplace_back(*found, sum());
    } else if (take_name("in")) {
      chain.rest.emplace_back(Comparison::in, sum());
    } else if (is_name(here(), "not") && is_name(ahead(), "in")) {
      take();
      take();
      chain.rest.emplace_back(Comparison::not_in, sum());
    } else {
      break;
    }
  }
  if (chain.rest.empty()) return std::move(chain.first);
  return make(line, std::move(chain));
}

ExpressionPtr Parser::sum() {
  const int line = here().line;
  ExpressionPtr left = concatenation();
  while (const Arithmetic* operation = find(kSums, here())) {
    take();
    ExpressionPtr right = concatenation();
    left = make(line, Binary{*operation, std::move(left), std::move(right)});
  }
  return left;
}

ExpressionPtr Parser::concatenation() {
  const int line = here().line;
  Concatenation joined;
  do joined.parts.push_back(product());
  while (take_symbol("~"));
  if (joined.parts.size() == 1) return std::move(joined.parts.front());
  return make(line, std::move(joined));
}

ExpressionPtr Parser::product() {
  const int line = here().line;
  ExpressionPtr left = power();
  while (const Arithmetic* operation = find(kProducts, here())) {
    take();
    ExpressionPtr right = power();
    left = make(line, Binary{*operation, std::move(left), std::move(right)});
  }
  return left;
}

ExpressionPtr Parser::power() {
  const int line = here().line;
  ExpressionPtr left = filtered();
  while (take_symbol("**")) {
    ExpressionPtr right = filtered();
    left = make(line, Binary{Arithmetic::power, std::move(left), std::move(right)});
  }
  return left;
}

ExpressionPtr Parser::unary() {
  const Level level(*this);
  const int line = here().line;
  if (take_symbol("-")) return postfix(make(line, Unary{Unary::Operator::minus, unary()}));
  if (take_symbol("+")) return postfix(make(line, Unary{Unary::Operator::plus, unary()}));
  return postfix(primary());
}

ExpressionPtr Parser::primary() {
  const Token& token = here();
  if (token.kind == TokenKind::text) return strings();
  if (token.kind == TokenKind::integer) return make(token.line, Constant{take().whole});
  if (token.kind == TokenKind::real) return make(token.line, Constant{take().number});
  if (is_symbol(token, "[")) return list_literal();
  if (is_symbol(token, "{")) return dict_literal();
  if (take_symbol("(")) {
    ExpressionPtr inner = tuple_expression(TuplePlace::parentheses);
    expect_symbol(")");
    return inner;
  }
  if (token.kind != TokenKind::name) unexpected("an expression");
  take();
  if (token.text == "true" || token.text == "True") return make(token.line, Constant{true});
  if (token.text == "false" || token.text == "False") return make(token.line, Constant{false});
  if (token.text == "none" || token.text == "None") return make(token.line, Constant{Value()});
  return make(token.line, Variable{read_symbol(token.text)});
}

/// Strings that follow each other are one.
ExpressionPtr Parser::strings() {
  const int line = here().line;
  std::string joined;
  while (here().kind == TokenKind::text) joined += take().text;
  return make(line, Constant{literal(joined)});
}

ExpressionPtr Parser::list_literal() {
  const int line = take().line;
  ListLiteral list;
  while (!is_symbol(here(), "]")) {
    if (!list.items.empty()) expect_symbol(",");
    if (is_symbol(here(), "]")) break;
    list.items.push_back(expression());
  }
  expect_symbol("]");
  return make(line, std::move(list));
}

ExpressionPtr Parser::dict_literal() {
  const int line = take().line;
  DictLiteral dict;
  while (!is_symbol(here(), "}")) {
    if (!dict.entries.empty()) expect_symbol(",");
    if (is_symbol(here(), "}")) break;
    ExpressionPtr key = expression();
    expect_symbol(":");
    dict.entries.emplace_back(std::move(key), expression());
  }
  expect_symbol("}");
  return make(line, std::move(dict));
}

}  // namespace attune::text::jinja
