// Every word that is typed must stand in a page's code, titles, kind or the names in it; the page opens on Enter.
(function () {
  "use strict";
  var most = 30;
  var input = document.getElementById("search");
  var list = document.getElementById("found");
  var up = document.body.dataset.up;
  var chosen = 0;

  function show() {
    var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    list.textContent = "";
    list.hidden = words.length === 0;
    chosen = 0;
    if (list.hidden) { return; }
    var hits = SEARCH_INDEX.filter(function (entry) {
      var text = entry.slice(1).join(" ").toLowerCase();
      return words.every(function (word) { return text.indexOf(word) >= 0; });
    });
    // Those first whose code or title begins with what is typed, then those that have it in a title.
    function place(entry) {
      var title = entry[1].toLowerCase();
      if (title === words[0] || title.indexOf(words[0] + " ") === 0) { return 0; }
      if (title.indexOf(words[0]) === 0) { return 1; }
      return (title + " " + entry[2].toLowerCase()).indexOf(words[0]) >= 0 ? 2 : 3;
    }
    hits.sort(function (one, other) { return place(one) - place(other); });
    hits.slice(0, most).forEach(function (entry, index) {
      var link = document.createElement("a");
      var kind = document.createElement("small");
      link.href = up + entry[0];
      link.textContent = entry[1] + " ";
      kind.textContent = entry[2] + " · " + entry[3];
      link.appendChild(kind);
      link.className = index === 0 ? "chosen" : "";
      var item = document.createElement("li");
      item.appendChild(link);
      list.appendChild(item);
    });
    if (hits.length === 0) { list.textContent = "没有找到 nothing found"; }
  }

  function choose(step) {
    var links = list.querySelectorAll("a");
    if (!links.length) { return; }
    links[chosen].className = "";
    chosen = (chosen + step + links.length) % links.length;
    links[chosen].className = "chosen";
    links[chosen].scrollIntoView({ block: "nearest" });
  }

  // A form may expire after the page was made.
  document.querySelectorAll("[data-valid-until]").forEach(function (warning) {
    var today = new Date().toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
    if (warning.dataset.validUntil < today) { warning.hidden = false; }
  });

  input.addEventListener("input", show);
  input.addEventListener("keydown", function (event) {
    var links = list.querySelectorAll("a");
    if (event.key === "ArrowDown") { choose(1); event.preventDefault(); }
    if (event.key === "ArrowUp") { choose(-1); event.preventDefault(); }
    if (event.key === "Enter" && links.length) { location.href = links[chosen].href; }
    if (event.key === "Escape") { input.value = ""; show(); }
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && document.activeElement !== input) { input.focus(); event.preventDefault(); }
  });
}());
