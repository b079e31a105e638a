// Puts a text on the clipboard. Without this script, or without a clipboard, people select the text themselves.
"use strict";
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  const said = document.createElement("span");
  said.className = "stats-copied";
  said.setAttribute("role", "status");
  button.after(said);
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      for (const other of document.querySelectorAll(".stats-copied")) other.textContent = "";
      said.textContent = button.dataset.copied;
    } catch {
      if (source.select) source.select();
      else getSelection().selectAllChildren(source);
    }
  });
}
