/**
 * How the pages look, in light and dark, from 320 pixels on.
 */

/** The style sheet. */
export const style = `:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #fff; --line: #e3e6ea; --soft: #eef0f3; --text: #1b1f24; --muted: #5b6470;
  --link: #2546c4; --created: #5b6470; --running: #2546c4; --succeeded: #14783f; --partial: #955800;
  --failed: #bf2430; --crashed: #9120a8; --stage0: #6180e6; --stage1: #2f4fc4; --stage2: #128a79;
  --sans: Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --mono: "JetBrains Mono", ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1216; --card: #171b21; --line: #2a3038; --soft: #20262e; --text: #e4e8ed; --muted: #98a2af;
    --link: #92aaff; --created: #98a2af; --running: #92aaff; --succeeded: #5ccb8a; --partial: #eab04f;
    --failed: #ff7f86; --crashed: #e08cf0; --stage0: #a9bdfb; --stage1: #5b7cf0; --stage2: #2fb8a2;
  }
}
* { box-sizing: border-box; }
html { overflow-anchor: none; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text); font: 14px/1.45 var(--sans); font-variant-numeric: tabular-nums; }
body > header, main { max-width: 1360px; margin: 0 auto; padding: 0 24px; }
body > header { display: flex; align-items: center; gap: 16px; min-height: 52px; }
.home { color: var(--text); font-weight: 650; text-decoration: none; }
.home span { color: var(--muted); font-weight: 400; }
#connection { margin: 0 0 0 auto; color: var(--muted); font-size: 13px; }
#connection[data-lost] { padding: 4px 10px; border: 1px solid var(--failed); border-radius: 6px; color: var(--failed); }
main { padding-bottom: 48px; }
a { color: var(--link); text-underline-offset: 2px; }
a:focus-visible, summary:focus-visible, pre:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
h1 { margin: 0; font-size: 20px; line-height: 1.3; font-weight: 650; letter-spacing: -.01em; }
h2 { margin: 0 0 10px; font-size: 14px; font-weight: 650; }
p { margin: 0; }
code, pre { font: 12px/1.5 var(--mono); font-variant-ligatures: none; }
pre { margin: 0; padding: 12px 14px; overflow: auto; border-radius: 8px; background: var(--soft); }
[hidden] { display: none !important; }
.muted, .none { color: var(--muted); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.heading { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; margin: 12px 0 14px; }
.card { border: 1px solid var(--line); border-radius: 10px; background: var(--card); overflow: clip; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 9px 12px; text-align: left; vertical-align: top; }
th { color: var(--muted); font-size: 12px; font-weight: 500; white-space: nowrap; }
thead th { border-bottom: 1px solid var(--line); }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; }
nav { display: flex; gap: 16px; padding: 14px 2px; }

.status { display: inline-flex; align-items: center; gap: 7px; font-weight: 550; white-space: nowrap; }
.status svg { width: 14px; height: 14px; flex: none; }
.cut { fill: none; stroke: var(--card); stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.created { color: var(--created); } .running { color: var(--running); } .succeeded { color: var(--succeeded); }
.partial { color: var(--partial); } .failed { color: var(--failed); } .crashed { color: var(--crashed); }

.stages { display: block; border-radius: 4px; }
.stages .track { fill: var(--soft); }
.stages rect:not(.track) { stroke: var(--card); stroke-width: 1.5; }
.stages .stage0 { fill: var(--stage0); } .stages .stage1 { fill: var(--stage1); } .stages .stage2 { fill: var(--stage2); }
.stages .now { animation: pulse 1.6s ease-in-out infinite; }
.stages .end { fill: currentColor; transform: translateX(-6px); }
@keyframes pulse { 50% { opacity: .35; } }
@media (prefers-reduced-motion: reduce) { .stages .now { animation: none; opacity: .6; } }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 10px 0 0; padding: 0; list-style: none; }
.legend i { display: inline-block; width: 8px; height: 8px; margin-right: 6px; border-radius: 2px; }
.heading .legend { margin: 0 0 0 auto; gap: 4px 14px; color: var(--muted); font-size: 12px; }
main:not(:has(#rows > tr)) .heading .legend { display: none; }
i.stage0 { background: var(--stage0); } i.stage1 { background: var(--stage1); } i.stage2 { background: var(--stage2); }

.runs td { padding-top: 11px; padding-bottom: 11px; }
.runs .run { width: 27%; min-width: 236px; max-width: 0; }
.runs .run a { display: block; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.runs .source { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.runs .id { display: block; color: var(--muted); font-size: 11px; white-space: nowrap; }
.runs .when { white-space: nowrap; }
.runs .took { display: block; color: var(--muted); }
.runs .bar { min-width: 110px; width: 14%; }
.runs .errors { min-width: 196px; max-width: 260px; }
.runs .bar svg { margin-top: 6px; }
.runs tbody tr:hover { background: color-mix(in srgb, var(--soft) 55%, transparent); }
.codes { margin: 0; padding: 0; list-style: none; }
.codes code { overflow-wrap: break-word; }
.times { color: var(--muted); white-space: nowrap; }
.empty { display: none; padding: 56px 24px; text-align: center; }
.empty p { margin-bottom: 14px; color: var(--muted); }
.empty pre { display: inline-block; max-width: 100%; text-align: left; white-space: pre-wrap; overflow-wrap: anywhere; }
.card:not(:has(#rows > tr)) .runs { display: none; }
.card:not(:has(#rows > tr)) .empty { display: block; }

.back { display: inline-block; margin-top: 8px; font-size: 13px; }
.heading.of-run { margin-top: 6px; align-items: center; }
.heading.of-run h1 { overflow-wrap: break-word; }
.grid { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
section { min-width: 0; padding: 16px 18px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
section.wide { grid-column: 1 / -1; }
.stack { display: flex; flex-direction: column; gap: 16px; min-width: 0; }
.stack > :not([hidden]):not(:has(~ :not([hidden]))) { flex: 1; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 5px 18px; margin: 0; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; gap: 6px 32px; }
.tiles + p { margin-top: 14px; }
.tiles > div { display: flex; flex-direction: column-reverse; }
.tiles dd { font-size: 22px; line-height: 1.25; font-weight: 600; letter-spacing: -.01em; }
.tiles dt { font-size: 12px; }
.plain th, .plain td { padding: 6px 16px 6px 0; }
.plain td:last-child, .plain th:last-child { padding-right: 0; }
.plain code { overflow-wrap: break-word; }
.plain h3 { margin: 0; }
.plain { table-layout: fixed; }
.plain:last-child { margin-bottom: -6px; }
.plain .name { width: 24%; }
.plain .rows { width: 90px; padding-right: 32px; }
.plain + .plain { margin-top: 14px; }
.share { display: block; margin-top: 6px; fill: var(--partial); }
.share .track { fill: var(--soft); }
.scroll { overflow: auto; margin: 0 -18px -16px; border-top: 1px solid var(--line); }
.scroll:not(:last-child) { margin-bottom: 0; border-bottom: 1px solid var(--line); }
.scroll table { width: auto; min-width: 100%; }
.scroll th, .scroll td { padding: 6px 12px; max-width: 420px; }
.scroll th:first-child, .scroll td:first-child { padding-left: 18px; }
.scroll td { font: 12px/1.5 var(--mono); white-space: pre; overflow: hidden; text-overflow: ellipsis; }
.scroll .null { color: var(--muted); font-style: italic; }
.downloads { display: flex; flex-wrap: wrap; gap: 8px 12px; margin: 0; padding: 0; list-style: none; }
.downloads a { display: inline-block; padding: 5px 12px; border: 1px solid var(--line); border-radius: 7px; background: var(--soft); text-decoration: none; }
.downloads a:hover { border-color: var(--link); }
.command { white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
summary { cursor: pointer; font-weight: 650; }
details[open] summary { margin-bottom: 10px; }
.note { margin-top: 8px; color: var(--muted); font-size: 13px; }
.message { overflow-wrap: break-word; }

@media (max-width: 1130px) {
  .runs thead { position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden; }
  .runs, .runs tbody { display: block; }
  .runs tr { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 8px 12px; padding: 13px 14px; }
  .runs tbody tr + tr { border-top: 1px solid var(--line); }
  .runs tbody tr > * { border: 0; padding: 0; min-width: 0; width: auto; max-width: none; }
  .runs .run, .runs .bar, .runs .errors { grid-column: 1 / -1; }
  .runs tr { position: relative; }
  .runs .bar, .runs .errors { width: auto; min-width: 0; max-width: none; }
  .runs .run { width: auto; min-width: 0; max-width: none; }
  .runs .run a { max-width: calc(100% - 130px); }
  .runs .state { position: absolute; top: 13px; right: 14px; }
  .runs .when { grid-column: 1 / -1; }
  .runs .took { display: inline; margin-left: 12px; }
  .runs .number { text-align: left; }
  .runs .bar svg { margin-top: 3px; }
  .runs .errors:not(:has(*)) { display: none; }
  .runs td[data-label]::before { content: attr(data-label); display: block; color: var(--muted); font-size: 12px; }
  .codes { display: flex; flex-wrap: wrap; gap: 2px 14px; }
}
@media (max-width: 900px) {
  body > header, main { padding-left: 14px; padding-right: 14px; }
  .grid { grid-template-columns: minmax(0, 1fr); }
  dl:not(.tiles) { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dl:not(.tiles) dd { margin-bottom: 7px; }
  section { padding: 14px; }
  dl:not(.tiles) dd:last-child { margin-bottom: 0; }
  .scroll { margin: 0 -14px -14px; }
  .scroll th:first-child, .scroll td:first-child { padding-left: 14px; }
  .tiles { gap: 8px 24px; }
  .plain { table-layout: auto; }
  .plain .name, .plain .rows { width: auto; }
}
`
