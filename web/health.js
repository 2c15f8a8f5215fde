// Shows what GET /v1/health says, every ten seconds; text is set as text, never as markup.
const state = document.getElementById("state");
const parts = document.getElementById("parts");
const table = parts.closest("table");

function row(name, part) {
  const line = document.createElement("tr");
  const latency = part.milliseconds === undefined ? "" : `${Math.round(part.milliseconds)} ms`;
  for (const text of [name.replaceAll("_", " "), part.state, latency]) {
    const cell = document.createElement("td");
    cell.textContent = text;
    cell.classList.toggle("bad", text === part.state && part.state !== "ok");
    line.append(cell);
  }
  return line;
}

async function refresh() {
  try {
    const answer = await fetch("/v1/health", { headers: { accept: "application/json" } });
    const health = await answer.json();
    state.textContent = answer.ok ? "Every part answers." : "A part does not answer.";
    parts.replaceChildren(...Object.entries(health.dependencies ?? {}).map(([name, part]) => row(name, part)));
    table.hidden = parts.childElementCount === 0;
  } catch {
    state.textContent = "The API does not answer. `bellwether status` says why.";
    table.hidden = true;
  }
  state.classList.toggle("bad", !state.textContent.startsWith("Every"));
}

refresh();
setInterval(refresh, 10_000);
