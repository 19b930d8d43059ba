// Shows a changed board without a reload. Without this script the page is complete as it is.
(function () {
  "use strict";
  if (!("EventSource" in window) || !document.querySelector("main[data-live]")) return;
  let waiting = null;

  async function refresh() {
    waiting = null;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.status === 404) return location.reload();
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = fresh.querySelector("main[data-live]");
    const now = document.querySelector("main[data-live]");
    if (next && now && next.innerHTML !== now.innerHTML) now.replaceWith(next);
  }

  const news = new EventSource("/live");
  news.addEventListener("board", function () {
    // Many changes at once become one look; a little chance keeps many readers apart.
    if (waiting === null) waiting = setTimeout(refresh, 300 + Math.random() * 700);
  });
})();
