"use strict";
const form = document.getElementById("try");
const state = document.getElementById("state");
const answer = document.getElementById("answer");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  state.textContent = "sent";
  answer.textContent = "";
  const start = performance.now();
  try {
    const response = await fetch(form.dataset.path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: document.getElementById("request").value,
    });
    const text = await response.text();
    const milliseconds = (performance.now() - start).toFixed(1);
    state.textContent = `${response.status} after ${milliseconds} ms`;
    answer.textContent = response.ok ? JSON.stringify(JSON.parse(text), null, 1) : text;
  } catch (error) {
    state.textContent = `no answer: ${error.message}`;
  }
});
