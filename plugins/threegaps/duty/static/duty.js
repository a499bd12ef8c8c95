// The duty page's script: the language and the theme of Airflow's page, links out of its frame, and actions.
"use strict";

(() => {
  const page = document.documentElement;
  const root = page.dataset.root;
  const framed = window.self !== window.top;

  const stored = (key) => {
    try {
      return window.localStorage.getItem(key);
    } catch {
      return null;
    }
  };

  // Airflow keeps its language where no server sees it: the page is asked for again where it has another one.
  const setting = stored("i18nextLng");
  const wanted = setting === null || setting.toLowerCase().startsWith("zh") ? "zh" : "en";
  const spoken = page.lang.toLowerCase().startsWith("zh") ? "zh" : "en";
  if (wanted !== spoken) {
    document.cookie = `threegaps_language=${wanted}; path=${root || "/"}; SameSite=Strict; max-age=31536000`;
    // Only where the cookie is kept: else the page would be asked for again and again.
    if (document.cookie.includes(`threegaps_language=${wanted}`)) {
      window.location.reload();
    }
  }

  const theme = stored("theme");
  if (theme === "dark" || theme === "light") {
    page.dataset.theme = theme;
  }
  if (framed) {
    page.dataset.framed = "";
    window.addEventListener("storage", (event) => {
      if (event.key === "theme" || event.key === "i18nextLng") {
        window.location.reload();
      }
    });
  }

  // The frame may neither open windows nor lead its parent elsewhere; the parent's own document may.
  const leave = (address) => {
    if (!framed) {
      window.location.assign(address);
      return;
    }
    const outside = window.parent.document;
    const link = outside.createElement("a");
    link.href = address;
    outside.body.append(link);
    link.click();
    link.remove();
  };

  const post = async (address, body, headers) => {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    }).catch(() => {
      throw new Error(page.dataset.silent);
    });
    if (!answer.ok) {
      // What Airflow says of itself it says in English: its number says which it is.
      const said = await answer.json().catch(() => ({}));
      throw new Error(said.said || `${page.dataset.failed} (HTTP ${answer.status})`);
    }
    return answer;
  };

  const save = async (answer) => {
    const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = named ? named[1] : "";
    link.click();
    URL.revokeObjectURL(link.href);
  };

  // A run of one delivery, asked of Airflow itself with the rights of whoever asks.
  const run = (form) =>
    post(
      `${form.dataset.airflow}/api/v2/dags/${encodeURIComponent(form.dataset.dag)}/dagRuns`,
      { logical_date: null, partition_key: form.dataset.delivery },
      {},
    );

  const act = async (form) => {
    const said = form.querySelector("[data-said]");
    const buttons = form.querySelectorAll("button");
    buttons.forEach((one) => (one.disabled = true));
    try {
      if (form.hasAttribute("action")) {
        const fields = Object.fromEntries(new FormData(form).entries());
        const answer = await post(form.getAttribute("action"), fields, { "X-ThreeGaps-Duty": "1" });
        if (form.hasAttribute("data-download")) {
          await save(answer);
        }
      }
      if (form.dataset.dag) {
        await run(form);
      }
      if (form.dataset.done) {
        said.textContent = form.dataset.done;
        said.className = "good";
      } else {
        window.location.reload();
      }
    } catch (error) {
      said.textContent = error.message;
      said.className = "bad";
      buttons.forEach((one) => (one.disabled = false));
    }
  };

  // On a narrow page each row is a card without the table's head: its cells say what they are.
  document.addEventListener("DOMContentLoaded", () => {
    for (const table of document.querySelectorAll("table.stack")) {
      const heads = Array.from(table.tHead.rows[0].cells, (one) => one.textContent.trim());
      for (const cell of table.tBodies[0].querySelectorAll("td:not([colspan])")) {
        if (heads[cell.cellIndex]) {
          cell.dataset.head = heads[cell.cellIndex];
        }
      }
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-act]")) {
      event.preventDefault();
      act(event.target);
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-out]");
    if (link && framed) {
      event.preventDefault();
      leave(link.href);
    }
  });
})();
