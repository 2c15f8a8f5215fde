// Renders Mermaid pictures without a browser. Standard input: a JSON list of texts; output: a JSON list of
// {svg} or {fault}. Mermaid's own parser and layout run; only the page around them is stood in for.
import createDOMPurify from "dompurify";
import { JSDOM } from "jsdom";
import { createHTMLWindow } from "svgdom";
import { text } from "node:stream/consumers";

Object.assign(createDOMPurify, createDOMPurify(new JSDOM("").window));
const window = createHTMLWindow();
class CSSStyleSheet {
  cssRules = [];
  insertRule(rule) { this.cssRules.push(rule); }
  replaceSync() {}
}
Object.assign(globalThis, { window, document: window.document, CSSStyleSheet });

const { default: mermaid } = await import("mermaid");
mermaid.initialize({
  startOnLoad: false,
  securityLevel: "strict",
  maxEdges: 1000,
  htmlLabels: false,
  flowchart: { htmlLabels: false },
});

const answers = [];
for (const [index, picture] of JSON.parse(await text(process.stdin)).entries()) {
  try {
    answers.push(await mermaid.render(`picture${index}`, picture));
  } catch (fault) {
    answers.push({ fault: String(fault.message ?? fault) });
  }
}
// Whatever the page's stand-ins keep running must not keep the process; the answer has to be out before.
process.stdout.write(JSON.stringify(answers.map(({ svg, fault }) => ({ svg, fault }))), () => process.exit(0));
