/**
 * Headers of every response that is not a file of the page. No cache may keep the response (RFC 9111 §5.2.2.5), and no browser may
 * guess its type (Fetch Standard, "X-Content-Type-Options"). They go into `writeHead`, which is faster than `setHeader`.
 */
export const UNCACHED = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" } as const;

/**
 * Makes browsers use TLS for this host for a year (RFC 6797). Not for its subdomains, because they may belong to other services.
 */
export const STRICT_TRANSPORT = ["Strict-Transport-Security", "max-age=31536000"] as const;
