// Compiled against what openapi-typescript makes of the document: answers and errors have exact types.
import type { operations } from "./stats";

type Replies<Name extends keyof operations> = operations[Name]["responses"];
type Problem<Name extends keyof operations, Status extends keyof Replies<Name>> = Replies<Name>[Status] extends {
  content: { "application/problem+json": infer Body };
}
  ? Body
  : never;

export const notFound: Problem<"user_get", 404>["code"] = "not_found";
export const status: Problem<"user_get", 404>["status"] = 404;
export const forbidden: Problem<"stats_get_workspace_overview", 403>["code"][] = [
  "permission_denied",
  "workspace_mismatch",
];
// @ts-expect-error  no other code comes with this status
export const other: Problem<"user_get", 404>["code"] = "rate_limited";

export function explain(problem: Problem<"click_ingest", 400>): string[] {
  return problem.errors.map((wrong) => `${wrong.field}: ${wrong.message}`);
}

export function totals(reply: Replies<"stats_get_workspace_overview">[200]): number {
  return reply.content["application/json"].totals.totalClicks;
}
