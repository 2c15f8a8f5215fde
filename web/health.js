// Shows what GET /v1/health says, every ten seconds; text is set as text, never as markup.
const state = document.getElementById("state");
const parts = document.getElementById("parts");
const table = parts.closest("table");
const sources = document.getElementById("sources");

function row(texts, bad) {
  const line = document.createElement("tr");
  texts.forEach((text, position) => {
    const cell = document.createElement("td");
    cell.textContent = text;
    cell.classList.toggle("bad", bad && position === 1);
    line.append(cell);
  });
  return line;
}

function partRow([name, part]) {
  const latency = part.milliseconds === undefined ? "" : `${Math.round(part.milliseconds)} ms`;
  return row([name.replaceAll("_", " "), part.state, latency], part.state !== "ok");
}

function sourceRow([name, source]) {
  return row([name, source.line], source.state === "failing" || source.state === "unreachable");
}

async function refresh() {
  try {
    const answer = await fetch("/v1/health", { headers: { accept: "application/json" } });
    const health = await answer.json();
    state.textContent = answer.ok ? "Every part answers." : "A part does not answer.";
    parts.replaceChildren(...Object.entries(health.dependencies ?? {}).map(partRow));
    sources.replaceChildren(...Object.entries(health.providers ?? {}).map(sourceRow));
    table.hidden = parts.childElementCount === 0;
    sources.closest("section").hidden = sources.childElementCount === 0;
  } catch {
    state.textContent = "The API does not answer. `bellwether status` says why.";
    table.hidden = true;
  }
  state.classList.toggle("bad", !state.textContent.startsWith("Every"));
}

refresh();
setInterval(refresh, 10_000);
