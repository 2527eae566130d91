// See html_page.h.
#include "html_page.h"

#include "attune/base/strings.h"
#include "html_style.h"
#include "html_text.h"

namespace attune::report {

std::string html_page(const PageHead& head, const std::vector<Section>& sections) {
  std::string links, body;
  for (const Section& section : sections) {
    if (section.html.empty()) continue;
    links += concat("<a href=\"#", section.id, "\">", section.title, "</a>\n");
    body += concat("<section id=\"", section.id, "\">\n<h2>", section.title, "</h2>\n", section.html, "</section>\n");
  }
  const std::string title = escape_html(head.title);
  return concat("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>", title,
                " – attune</title>\n<style>", kStyleSheet, "</style>\n</head>\n<body>\n<header>\n<h1>", title,
                "</h1>\n", head.header, "<nav>\n", links, "</nav>\n</header>\n<main>\n", body,
                "</main>\n<footer>Written by attune", head.version == "–" ? "" : " " + escape_html(head.version),
                ". This page needs no network.</footer>\n</body>\n</html>\n");
}

}  // namespace attune::report
