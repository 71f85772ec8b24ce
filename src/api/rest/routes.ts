import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "../../gen/google/api/annotations_pb.js";

/** A plain HTTP route of an RPC, declared by its `google.api.http` option. */
export interface Route {
  readonly httpMethod: "GET" | "POST";
  readonly path: string;
  readonly method: DescMethod;
}

/** Reads the routes of a service from its options. @throws for an option of an unsupported form */
export function routesOf(service: DescService): readonly Route[] {
  return service.methods
    .filter((method) => hasOption(method, http))
    .map((method) => {
      const { pattern, body } = getOption(method, http);
      if (pattern.case === "get") return { httpMethod: "GET", path: pattern.value, method };
      if (pattern.case === "post" && body === "*") return { httpMethod: "POST", path: pattern.value, method };
      throw new Error(`${method.toString()} has a google.api.http option of an unsupported form`);
    });
}
