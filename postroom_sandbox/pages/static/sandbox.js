// Keeps what is marked data-live fresh. Everything works without it, by reloading.
const live = [...document.querySelectorAll("[data-live]")];

async function refresh() {
  if (document.hidden || live.some((part) => part.contains(document.activeElement))) return;
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = [...page.querySelectorAll("[data-live]")];
  live.forEach((part, index) => {
    if (fresh[index] && fresh[index].innerHTML !== part.innerHTML) part.innerHTML = fresh[index].innerHTML;
  });
}

if (live.length) setInterval(() => refresh().catch(() => {}), 2000);
