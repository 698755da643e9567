// An ERP's Shopify connector for Node: axios through the proxy, winston to a file of JSON lines.
"use strict";
const path = require("node:path");
const readline = require("node:readline");
const axios = require("axios");
const winston = require("winston");

const SHOP = "lumen-mugs.myshopify.com";
const API = `https://${SHOP}/admin/api/2026-07`;
const logger = winston.createLogger({
  level: "debug",
  format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
  defaultMeta: { service: "shopify-connector" },
  transports: [new winston.transports.File({ filename: path.join(process.env.LOGS, process.env.LOG || "erp-shopify.jsonl") })],
});

let agent;
let token;

async function call(method, url, data, tries = 3) {
  const begun = Date.now();
  const headers = { "X-Shopify-Access-Token": token };
  const response = await axios.request({ method, url, data, headers, httpsAgent: agent, proxy: false, validateStatus: () => true, timeout: 20000 });
  const failed = response.status >= 400;
  const said = response.headers;
  logger.log(failed ? "warn" : "info", "shopify call", {
    method, url, status: response.status, duration_ms: Date.now() - begun, request_headers: headers, request_body: data,
    response_body: response.data,
    response_headers: Object.fromEntries(["date", "x-request-id", "x-shopify-shop-api-call-limit", "x-shopify-api-deprecated-reason", "retry-after"].filter((n) => said[n]).map((n) => [n, said[n]])),
  });
  if (response.status >= 500 && tries > 1) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    return call(method, url, data, tries - 1);
  }
  return response;
}

const commands = {
  credentials: async (order) => { token = order.token; return true; },
  pull: async (order) => (await call("GET", `${API}/orders.json?status=any&limit=50&updated_at_min=${encodeURIComponent(order.since)}`)).status,
  order: async (order) => (await call("GET", `${API}/orders/${order.id}.json`)).status,
  stock: async (order) => (await call("POST", `${API}/inventory_levels/set.json`, { location_id: 655441491, inventory_item_id: order.item, available: order.available })).status,
};

async function main() {
  const { HttpsProxyAgent } = await import(require.resolve("https-proxy-agent"));
  agent = new HttpsProxyAgent(process.env.PROXY);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    process.stdout.write(JSON.stringify(await commands[order.do](order)) + "\n");
  }
}

main();
