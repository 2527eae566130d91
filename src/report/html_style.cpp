// The style sheet of the report page: light, dark and print; no external resource.
#include "html_style.h"

namespace attune::report {

// Series colours differ in lightness as well as in hue, so that they stay apart for colour-blind readers and in grey
// print.
const char* const kStyleSheet = R"css(
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #ffffff; --ink: #1d2329; --soft: #5b6670; --rule: #e2e5e8; --track: #eef0f2; --shade: #9aa6b1;
  --a: #1f5fa8; --b: #c2570c; --c: #0f7b6c; --d: #7a4fa3; --on: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --card: #1b2026; --ink: #e6e9ec; --soft: #9aa6b1; --rule: #2e363e; --track: #262d34; --shade: #000000;
    --a: #7db3f0; --b: #f0a064; --c: #5cc8b4; --d: #c3a0e8; --on: #10151a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 1060px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 44px; padding-bottom: 6px; }
header p { max-width: 72ch; margin: 6px 0; }
h1 { font-size: 27px; line-height: 1.25; font-weight: 650; margin: 0 0 6px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 18px; font-weight: 650; margin: 0 0 14px; }
h3 { font-size: 14px; font-weight: 600; margin: 20px 0 8px; }
p { margin: 0 0 12px; max-width: 78ch; }
.soft, small, footer { color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 14px 0 0; font-size: 14px; }
a { color: var(--a); text-decoration: none; } a:hover { text-decoration: underline; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 24px 26px; margin: 20px 0; }
footer { font-size: 13px; padding-top: 4px; padding-bottom: 44px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px; margin: 0 0 18px; }
.tile { border-left: 3px solid var(--a); padding: 2px 0 2px 14px; }
.tile b { display: block; font-size: 29px; line-height: 1.2; font-weight: 620; font-variant-numeric: tabular-nums; }
.tile span { display: block; font-size: 13px; color: var(--soft); }
.lead { font-size: 16px; }
.charts { display: flex; flex-wrap: wrap; gap: 26px 34px; align-items: flex-start; }
.charts > div { flex: 1 1 420px; min-width: 0; max-width: 480px; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); gap: 8px 36px; }
.columns > div { min-width: 0; }
.scroll { overflow-x: auto; background:
  linear-gradient(to right, var(--card) 40%, transparent) left / 30px 100% no-repeat local,
  linear-gradient(to left, var(--card) 40%, transparent) right / 30px 100% no-repeat local,
  linear-gradient(to right, var(--shade), transparent) left / 12px 100% no-repeat scroll,
  linear-gradient(to left, var(--shade), transparent) right / 12px 100% no-repeat scroll; }
.notice { border-left: 3px solid var(--b); padding: 4px 0 4px 14px; margin: 14px 0; }
table { border-collapse: collapse; font-size: 14px; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 5px 18px 5px 0; border-bottom: 1px solid var(--rule); font-weight: 400; overflow-wrap: anywhere; }
thead th { color: var(--soft); font-size: 13px; white-space: nowrap; border-bottom-color: var(--soft); }
.figures { width: auto; } .figures th[scope=row] { white-space: nowrap; }
.scroll + p { margin-top: 12px; }
.figures td, .figures thead th:not(:first-child) { text-align: right; font-variant-numeric: tabular-nums; padding-left: 14px; white-space: nowrap; }
.figures td.text, .figures thead th.text { text-align: left; }
.figures thead th:not(:first-child) { white-space: normal; overflow-wrap: normal; vertical-align: bottom; }
.wide td small { display: block; margin-left: 0; } .wide th[scope=row], .wide td.text { white-space: normal; min-width: 9ch; overflow-wrap: break-word; }
.texts { table-layout: fixed; min-width: 640px; } .texts td { white-space: pre-wrap; }
.texts th:last-child, .texts td:last-child { width: 12ch; padding-right: 0; text-align: right; white-space: normal; font-variant-numeric: tabular-nums; }
table:not(.figures) th[scope=row] { width: 34%; color: var(--soft); }
td small { font-size: 13px; margin-left: 6px; }
code, .code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px; }
pre { font-size: 13px; overflow-x: auto; margin: 0 0 12px; white-space: pre-wrap; }
details { margin: 14px 0 0; } summary { cursor: pointer; color: var(--a); margin-bottom: 8px; }
svg { display: block; max-width: 100%; height: auto; overflow: visible; }
svg text { font-size: 12px; fill: var(--ink); }
svg .title { font-size: 14px; font-weight: 600; }
svg .tick { font-size: 11.5px; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .key { fill: var(--ink); }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
svg .grid { stroke: var(--rule); stroke-width: 1; } svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .mark { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 4; }
svg .mean { stroke: var(--ink); stroke-width: 2; }
svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; } svg .curve.thin { stroke-width: 1.3; stroke-opacity: 0.55; }
svg .series-a { stroke: var(--a); } svg .series-b { stroke: var(--b); } svg .series-c { stroke: var(--c); } svg .series-d { stroke: var(--d); }
svg .dot { stroke-width: 1.5; fill: var(--card); } svg .dot.thin { stroke-opacity: 0.7; } svg .ring { fill: var(--a); fill-opacity: 0.25; }
svg .band { fill: var(--a); fill-opacity: 0.14; }
svg .bar { fill: var(--a); } svg .track { fill: var(--track); }
svg .frame { fill: none; stroke: var(--rule); } svg .tiny { font-size: 10px; } svg .right { fill: var(--a); } svg .wrong { fill: var(--b); }
svg .count { font-variant-numeric: tabular-nums; } svg .on { fill: var(--on); } svg .faint { fill: var(--soft); fill-opacity: 0.6; }
svg .tone-1 { color: var(--a); } svg .tone-2 { color: var(--b); } svg .tone-3 { color: var(--c); } svg .tone-4 { color: var(--d); } svg .tone-5 { color: var(--ink); } svg .tone-6 { color: var(--soft); }
svg .toned { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; } svg .lead-line { stroke: currentColor; stroke-width: 1; stroke-opacity: 0.5; }
svg .area { fill: currentColor; fill-opacity: 0.12; } svg .spot { fill: currentColor; fill-opacity: 0.5; } svg .named { fill: currentColor; font-weight: 600; }
svg .dash-2 { stroke-dasharray: 8 4; } svg .dash-3 { stroke-dasharray: 2 4; } svg .dash-4 { stroke-dasharray: 10 3 2 3; } svg .dash-5 { stroke-dasharray: 14 4; } svg .dash-6 { stroke-dasharray: 5 2 1 2 1 2; }
svg .bubble { fill: var(--a); fill-opacity: 0.35; stroke: var(--a); stroke-width: 1.5; } svg .gap { stroke: var(--b); stroke-width: 1.5; }
@media (max-width: 640px) {
  main, header, footer { padding-left: 10px; padding-right: 10px; }
  section { padding: 18px 14px; }
  th, td { padding-right: 10px; }
  .figures td, .figures thead th:not(:first-child) { padding-left: 4px; }
  .figures thead th { white-space: normal; overflow-wrap: normal; }
  .figures th[scope=row], .figures td.text { white-space: normal; min-width: 9ch; }
  td small { display: block; margin-left: 0; }
  .texts, .texts tbody, .texts tr, .texts td { display: block; min-width: 0; }
  .texts thead { display: none; }
  .texts td { border-bottom: 0; padding: 2px 0; } .texts tr { border-bottom: 1px solid var(--rule); padding: 8px 0; }
  .texts td:nth-child(2)::before { content: "generated: "; color: var(--soft); }
  .texts td:nth-child(3)::before { content: "reference: "; color: var(--soft); }
  .fragile td:nth-child(2)::before { content: "the worst: "; } .fragile td:nth-child(3)::before { content: "the best: "; }
  .texts td:last-child { width: auto; text-align: left; } .texts td:last-child::before { content: "score: "; color: var(--soft); }
  .fragile td:last-child::before { content: "different texts: "; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --rule: #ccc; --track: #eee;
    --a: #1f5fa8; --b: #c2570c; --c: #0f7b6c; --d: #7a4fa3; --on: #fff; }
  nav { display: none; }
  body { font-size: 11pt; } main, header, footer { max-width: none; padding-left: 0; padding-right: 0; }
  section { border: 0; padding: 0; margin: 18pt 0; } .scroll { background: none; }
  h2, h3 { break-after: avoid; } svg, tr, .tile { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace attune::report
