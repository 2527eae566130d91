// The frame of a page: title, links to its sections, style.
#pragma once

#include <string>
#include <vector>

namespace attune::report {

struct Section {
  const char* id;
  const char* title;
  std::string html;  ///< "" = left out
};

struct PageHead {
  std::string title;    ///< a text
  std::string header;   ///< HTML below the title
  std::string version;  ///< of attune; "–" = unknown
};

/// A whole page that needs no network, without script.
std::string html_page(const PageHead& head, const std::vector<Section>& sections);

}  // namespace attune::report
