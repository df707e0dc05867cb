/*
 * Random runs, each by its seed: users on several machines do everything that a client can do,
 * while requests, answers, frames and sockets are lost, late, repeated and refused. Once the
 * network works and a silent minute has passed, each client agrees with the server. SEED=n repeats
 * one run, RUNS=n makes this many.
 */
import test from "node:test";
import { Course } from "./course.js";

const RUNS = Number(process.env.RUNS ?? 300);
const ONE = process.env.SEED && Number(process.env.SEED);

test(`clients agree with the server after ${ONE ? 1 : RUNS} random runs`, async () => {
  for (let seed = ONE || 1; seed <= (ONE || RUNS); seed++) {
    try {
      await new Course(seed).run();
    } catch (error) {
      error.message = `SEED=${seed}: ${error.message}`;
      throw error;
    }
  }
});
