export { type RunningSite, type SiteOptions, serveSite } from './server/serve-site.ts';
