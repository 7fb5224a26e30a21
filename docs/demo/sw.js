// After the first visit, the site works without a network: the newest copy where there is one, else the kept one.

const KEPT = "denoising-autoencoders";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", ({ data }) => {
  for (const address of data.keep ?? []) {
    if (new URL(address).origin === location.origin) caches.open(KEPT).then((kept) => keep(kept, address));
  }
});

async function keep(kept, address) {
  if (await kept.match(address, { ignoreSearch: true })) return;
  const answer = await fetch(address).catch(() => null);
  if (answer?.ok) await kept.put(address, answer);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  event.respondWith(
    fetch(request).then(
      async (answer) => {
        if (answer.status === 200) {
          const copy = answer.clone();
          event.waitUntil(caches.open(KEPT).then((kept) => kept.put(request, copy)));
        }
        return answer;
      },
      async () => (await caches.match(request, { ignoreSearch: true })) ?? Response.error(),
    ),
  );
});
