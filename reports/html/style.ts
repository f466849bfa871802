import { trusted } from './markup.ts';

/** The page's look: calm, two colour schemes, print; every colour has a word, a shape or a pattern beside it. */
export const STYLE = trusted(`
:root{--paper:#fbfaf7;--card:#fff;--ink:#1d2a32;--quiet:#5b6a72;--rule:#dfe3e1;--grid:#e9ecea;
--good:#2f8f83;--good-soft:#d5ebe7;--bad:#c0392b;--bad-soft:#f8dfdb;--unknown:#96690f;--unknown-soft:#f6ebcf;
--p50:#2b6c9e;--p99:#a04f12;--fault:#6b5b95;--fault-soft:#e4dff0;--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media (prefers-color-scheme:dark){:root{--paper:#12191e;--card:#182228;--ink:#e3e9e8;--quiet:#9babaf;--rule:#2c393f;--grid:#233036;
--good:#5cc0b1;--good-soft:#1d3b39;--bad:#f0766a;--bad-soft:#452623;--unknown:#e0b557;--unknown-soft:#3d3218;
--p50:#79b6e6;--p99:#e8a05f;--fault:#ab9bd6;--fault-soft:#2f2b45}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 var(--sans)}
main{max-width:1080px;margin:0 auto;padding:28px 24px 8px}
footer{max-width:1080px;margin:0 auto;padding:16px 24px 40px;color:var(--quiet);font-size:14px}
section{margin:44px 0 0}
h1,h2,h3{line-height:1.25;margin:0}
h2{font-size:21px;font-weight:650;margin:0 0 12px;letter-spacing:-.005em}
h3{font-size:15.5px;font-weight:620;margin:18px 0 4px}
p{margin:0 0 8px}
.quiet{color:var(--quiet);font-weight:400}
code,pre{font-family:var(--mono);font-size:13px}
pre{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:12px 14px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;margin:8px 0}
pre.plan{white-space:pre;overflow-wrap:normal;line-height:1.5}
.skip{position:absolute;left:-999px}.skip:focus{left:12px;top:12px;background:var(--card);padding:8px 12px;z-index:2}
.defs{position:absolute}
:focus-visible{outline:2px solid var(--p50);outline-offset:3px;border-radius:4px}
.verdict{background:var(--card);border:1px solid var(--rule);border-left:8px solid var(--unknown);border-radius:12px;padding:26px 30px 22px}
.verdict.pass{border-left-color:var(--good)}.verdict.fail{border-left-color:var(--bad)}
.brand{color:var(--quiet);font-size:14px;margin:0 0 10px}
h1{font-size:30px;font-weight:680;letter-spacing:-.015em;display:flex;flex-wrap:wrap;gap:8px 14px;align-items:center;overflow-wrap:anywhere}
.badge,.chip{border-radius:999px;font-weight:680;white-space:nowrap}
.badge{padding:5px 18px 6px;font-size:24px;background:var(--unknown-soft);color:var(--unknown)}
.pass .badge,.chip.pass{background:var(--good-soft);color:var(--good)}
.fail .badge,.chip.fail{background:var(--bad-soft);color:var(--bad)}
.chip{font-size:13.5px;padding:3px 11px;background:var(--unknown-soft);color:var(--unknown);height:max-content;text-align:center}
@media (prefers-color-scheme:light){.pass .badge,.chip.pass{color:#1d6a60}.chip.fail,.fail .badge{color:#9b2a1e}.chip.unknown,.unknown .badge{color:#775208}}
.hypothesis{font-size:18px;margin:14px 0 6px;max-width:74ch}
.summary{color:var(--quiet);max-width:80ch;margin:0}
dl{margin:0}dt{color:var(--quiet);font-size:13px}dd{margin:0;overflow-wrap:anywhere}
.figures{display:flex;flex-wrap:wrap;gap:10px 34px;margin-top:18px;padding-top:16px;border-top:1px solid var(--rule)}
.figures dd{font-size:18px;font-weight:600;font-variant-numeric:tabular-nums}
.trouble{border:1px solid var(--bad);background:var(--bad-soft);border-radius:10px;padding:12px 18px 6px;margin-top:20px}
.findings{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--rule);border-radius:12px}
.finding{display:grid;grid-template-columns:104px minmax(0,1fr) 220px;gap:6px 18px;padding:16px 20px;border-top:1px solid var(--rule)}
.finding:first-child{border-top:0}
.finding h3{margin:0 0 3px}.finding p{max-width:72ch;white-space:pre-line;overflow-wrap:anywhere}
.kind{font-weight:400;color:var(--quiet)}
.evidence{font-size:13px;color:var(--quiet);margin:0}
.advisory{opacity:.92}
.gauge{width:220px;max-width:100%;height:auto;margin-top:2px}
details>summary{cursor:pointer;color:var(--quiet);font-size:14px;margin-top:8px;width:max-content;max-width:100%}
.shown{margin-top:14px}.shown .findings{margin-top:10px}
.scroll{overflow-x:auto}.tall{max-height:420px;overflow-y:auto}
table{border-collapse:collapse;font-size:14px;width:100%;margin:6px 0 14px;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--quiet);font-size:14px;padding:2px 0 6px}
th,td{text-align:left;vertical-align:top;padding:6px 12px 6px 0;border-top:1px solid var(--rule)}
thead th{font-weight:500;color:var(--quiet);font-size:13px;border-top:0;vertical-align:bottom}
tbody th{font-weight:500}
.n{text-align:right;white-space:nowrap}.n+td:not(.n),.n+th:not(.n){padding-left:20px}
.plots,.lanes{margin:22px 0 0;padding:4px 18px 14px;background:var(--card);border:1px solid var(--rule);border-radius:12px}
.chart{display:block;width:100%;min-width:640px;height:auto;overflow:visible}
.label,.lane{font:12px var(--sans);fill:var(--quiet);font-variant-numeric:tabular-nums}
.lane{fill:var(--ink);font-size:13px}.strong{fill:var(--ink);font-weight:600}
.mid{text-anchor:middle}.end{text-anchor:end}
.axis,.tick{stroke:var(--quiet);stroke-width:1}.grid{stroke:var(--grid);stroke-width:1}
.good{fill:var(--good);fill-opacity:.26}.top{fill:none;stroke:var(--good);stroke-width:1.6}.bad{fill:url(#hatch-bad);stroke:var(--bad);stroke-width:.6}
.p50,.p99{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.p50{stroke:var(--p50)}.p99{stroke:var(--p99);stroke-dasharray:6 4}
.deadline{stroke:var(--bad);stroke-width:1;stroke-dasharray:2 4}
.f-bad{fill:var(--bad)}.f-paper{fill:var(--card)}.f-fault{fill:var(--fault)}.f-fault-soft{fill:var(--fault-soft)}
.band-held{fill:var(--fault);opacity:.17}.band-revert{fill:url(#hatch-revert);opacity:.22}
.mark-commanded{stroke:var(--fault);stroke-width:1.4}.mark-recovered{stroke:var(--fault);stroke-width:1.2;stroke-dasharray:3 3}
.lane-wait{fill:var(--fault-soft);stroke:var(--fault)}.lane-held{fill:var(--fault)}.lane-revert{fill:url(#hatch-revert);stroke:var(--fault)}
.diamond{fill:var(--card);stroke:var(--ink);stroke-width:1.6}
.cross{stroke:var(--ink);stroke-width:1;visibility:hidden}
.span{fill:var(--p50);opacity:.35}.dot{fill:var(--p50)}.asked{stroke:var(--ink);stroke-width:2}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;color:var(--quiet);font-size:13.5px;margin:6px 0 0}
.legend span{display:inline-flex;align-items:center;gap:7px}
.key{display:inline-block;width:16px;height:12px;border-radius:2px;flex:none}
.key.good{background:var(--good);opacity:.5}.key.bad{background:repeating-linear-gradient(45deg,var(--bad) 0 3px,var(--card) 3px 5px);outline:1px solid var(--bad)}
.key.line{height:0;border-radius:0;border-top:2.5px solid var(--p50)}.key.p99{border-top:2.5px dashed var(--p99)}
.key.held{background:var(--fault);opacity:.8}.key.waiting{background:var(--fault-soft);outline:1px solid var(--fault)}
.plots .key.held{opacity:.3}
.key.reverting{background:repeating-linear-gradient(-45deg,var(--fault) 0 2px,var(--fault-soft) 2px 5px)}
.key.rule{width:0;height:15px;border-radius:0;border-left:2px solid var(--fault)}.key.dashed{border-left-style:dashed}
i.diamond{width:9px;height:9px;border:1.6px solid var(--ink);transform:rotate(45deg);border-radius:0;background:var(--card)}
.readout{position:sticky;bottom:12px;width:max-content;max-width:100%;margin:12px auto 0;background:var(--ink);color:var(--paper);border-radius:8px;padding:6px 14px;font-size:14px;font-variant-numeric:tabular-nums}
.readout[hidden]{display:none}
.plain,.notes{margin:0;padding-left:20px}.plain{list-style:none;padding:0}
.notes li{margin:0 0 5px;max-width:80ch}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:10px 28px}
@media (max-width:820px){main{padding:16px 14px}.verdict{padding:18px 18px 16px}.finding{grid-template-columns:1fr}.chip{width:max-content}h1{font-size:24px}}
@media print{body{background:#fff}main{max-width:none;padding:0}.skip,.readout,script{display:none}.finding,.plots,figure,tr{break-inside:avoid}.tall{max-height:none}section{margin-top:28px}}
@media (prefers-reduced-motion:no-preference){details>summary{transition:color .15s}}
`);
