// Which web sites may use the server. A browser sends requests of any site to any address, 127.0.0.1 included, and some of them
// without asking first (a form, `text/plain`): CORS only keeps the site from reading the answer. So what comes from another site is refused
// before any work, unless --cors-origins names the site. Programs that are no browser send no Origin, and are let through.
import type { Context, MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { ApiError } from '../api-error.ts';

/** Headers of answers that a page may read. */
const exposed = ['retry-after', 'request-id', 'x-quern-ignored'];
const preflightSeconds = 600;
/** What llama-server takes for it. */
const ofThisMachine = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/** @param allowed origins (`https://chat.example`), `localhost` for pages of this machine on any port, or `*` */
export function originRules(allowed: readonly string[]): MiddlewareHandler[] {
  const any = allowed.includes('*');
  const known = new Set(allowed.map(normalized));
  const isKnown = (origin: string): boolean =>
    any || known.has(normalized(origin)) || (known.has('localhost') && ofThisMachine.test(origin));
  const refuse: MiddlewareHandler = async (context, next) => {
    const origin = context.req.header('origin');
    if (origin !== undefined && !isKnown(origin) && !isOwn(origin, context)) {
      const message = `Web pages of "${origin}" may not use this server. Name the origin in --cors-origins if they should.`;
      throw new ApiError(403, 'origin_not_allowed', message);
    }
    await next();
  };
  if (allowed.length === 0) return [refuse];
  const answer = cors({
    origin: (origin) => (origin !== '' && isKnown(origin) ? origin : null),
    allowMethods: ['GET', 'HEAD', 'POST', 'DELETE'],
    exposeHeaders: exposed,
    maxAge: preflightSeconds,
  });
  // Asked for by browsers when a page of the internet uses a server of the local network.
  const privateNetwork: MiddlewareHandler = async (context, next) => {
    if (context.req.header('access-control-request-private-network') === 'true')
      context.header('access-control-allow-private-network', 'true');
    await next();
  };
  return [refuse, privateNetwork, answer];
}

const normalized = (origin: string): string => origin.toLowerCase().replace(/\/$/, '');

/** The chat page's own: it came from this very address. */
const isOwn = (origin: string, context: Context): boolean =>
  normalized(origin).replace(/^https?:\/\//, '') === context.req.header('host')?.toLowerCase();
